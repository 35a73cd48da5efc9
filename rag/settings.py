"""The one settings object, built at the edge and passed down.

Values come, strongest first, from arguments, `RECOUPE_*` environment
variables, `recoupe.toml` in the working directory, then these defaults.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rag import texts
from rag.errors import SettingsError


class Settings(BaseSettings):
    """All that can be set; see docs/settings.md for the long form."""

    model_config = SettingsConfigDict(
        env_prefix="RECOUPE_", toml_file="recoupe.toml", frozen=True, extra="forbid"
    )

    index_dir: Path = Field(Path(".recoupe"), description="dossier de l'index")
    chroma_url: str = Field("", description="serveur Chroma ; vide : index embarqué")
    chroma_api_key: SecretStr = Field(SecretStr(""), description="clé du serveur Chroma")
    chroma_tenant: str = Field("default_tenant", description="locataire sur ce serveur")
    chroma_database: str = Field("default_database", description="base sur ce serveur")
    passage_tokens: int = Field(320, ge=20, le=1000, description="taille visée d'un passage")
    sentence_vectors: bool = Field(
        True, description="vecteur de chaque phrase : mieux classé, ingestion plus longue"
    )
    max_file_mb: int = Field(20, ge=1, description="taille maximale d'un fichier, en Mo")
    read_seconds: float = Field(30.0, gt=0, description="délai de lecture d'un fichier")
    read_memory_mb: int = Field(224, ge=64, description="mémoire pour lire un fichier, en Mo")

    sources: tuple[str, ...] = Field(
        (), description="sources suivies par « recoupe serve » : dossiers, flux, plans, sites"
    )
    source_minutes: float = Field(
        15.0, ge=0.01, description="minutes entre deux lectures d'une source du web"
    )
    source_silence_hours: float = Field(
        72.0, gt=0, description="heures sans rien de neuf après lesquelles une source inquiète"
    )
    request_interval: float = Field(
        1.0, ge=0, description="secondes entre deux requêtes à un même site"
    )
    own_hosts: tuple[str, ...] = Field(
        (), description="sites à soi, ou dont on a l'accord : leurs réserves ne sont pas opposées"
    )

    embedding: str = Field(
        "e5-small-fr", description="e5-small-fr, sentence-transformers:NOM ou openai:NOM"
    )
    embedding_base_url: str = Field("", description="adresse d'un service d'embeddings")
    embedding_api_key: SecretStr = Field(SecretStr(""), description="clé de ce service")

    reranker: str = Field("features", description="features, none ou cross-encoder:NOM")

    stance: str = Field("features", description="features, llm ou cross-encoder:NOM")

    llm: str = Field("", description="modèle de langue FOURNISSEUR:NOM ; vide : extraits seuls")
    llm_base_url: str = Field("", description="adresse du service du modèle de langue")
    llm_api_key: SecretStr = Field(SecretStr(""), description="clé de ce service")
    llm_timeout: float = Field(60.0, gt=0, description="délai maximal, en secondes")
    llm_context: int = Field(8192, ge=2048, description="fenêtre du modèle, en tokens")

    candidates: int = Field(50, ge=5, le=500, description="passages tirés de chaque index")
    answer_passages: int = Field(6, ge=1, le=20, description="passages donnés à la réponse")
    answer_sentences: int = Field(3, ge=1, le=10, description="phrases d'une réponse extraite")
    overview_sentences: int = Field(5, ge=1, le=12, description="phrases d'un récit ou d'un bilan")
    threshold: float = Field(
        0.45, ge=0, le=1, description="probabilité de réponse sous laquelle Recoupe s'abstient"
    )

    host: str = Field("127.0.0.1", description="adresse d'écoute")
    port: int = Field(7860, ge=0, le=65535, description="port d'écoute")
    public_url: str = Field("", description="adresse publique, derrière un mandataire")
    allowed_origins: tuple[str, ...] = Field(
        (), description="origines des sites qui intègrent Recoupe, exactes"
    )
    admin_token_hash: str = Field("", description="empreinte du jeton, voir « recoupe token »")
    chat_login: str = Field("", description="NOM:EMPREINTE qui protège tout le chat")
    rate_client: str = Field("30/minute", description="questions par visiteur")
    rate_global: str = Field("600/minute", description="questions en tout")
    rate_claims: str = Field("200/minute", description="affirmations vérifiées par visiteur")
    rate_events: str = Field("240/minute", description="clics par visiteur dans le chat")
    rate_sessions: str = Field("600/hour", description="pages du chat ouvertes par visiteur")
    trusted_proxies: tuple[str, ...] = Field(
        (), description="mandataires dont les en-têtes X-Forwarded-* sont crus"
    )
    concurrent: int = Field(2, ge=1, le=64, description="questions traitées à la fois")
    waiting: int = Field(16, ge=0, le=1000, description="questions en attente, au plus")
    max_body_kb: int = Field(1024, ge=1, description="taille maximale d'une requête, en Ko")
    log_questions: bool = Field(False, description="écrire les questions dans le journal")
    retention_days: int = Field(90, ge=1, description="durée de garde des retours, en jours")
    feedback_max_mb: int = Field(50, ge=1, description="place des retours sur le disque, en Mo")
    public_text: bool = Field(
        True, description="donner à tous le texte entier des articles, pas seulement les extraits"
    )
    paid_characters: int = Field(
        300, ge=40, description="caractères qu'une réponse cite d'un article payant, en tout"
    )
    review_url: str = Field("", description="adresse de la page qui publie les vérifications")
    review_author: str = Field("", description="qui signe les vérifications (ClaimReview)")
    review_author_url: str = Field("", description="adresse de qui signe les vérifications")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "WARNING", description="détail du journal"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then `recoupe.toml`."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**overrides: Any) -> Settings:
    """Return the settings; `overrides` that are None are ignored.

    Raises SettingsError naming the first bad setting in French.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "?"
        reason = texts.FIELD_ERRORS.get(first["type"], texts.OTHER_FIELD_ERROR)
        raise SettingsError(
            f"Le réglage « {name} » n'est pas valable ({reason}) : corrigez "
            f"RECOUPE_{name.upper()} ou recoupe.toml."
        ) from error
    except ValueError as error:  # a recoupe.toml that is not TOML
        raise SettingsError(f"recoupe.toml ne se lit pas ({error}) : corrigez-le.") from error
