"""The one settings object, built at the edge and passed down.

Values come, strongest first, from arguments, `RECOUPE_*` environment
variables, `recoupe.toml` in the project's folder, then these defaults. The
project's folder is the nearest, from the working directory up, that holds a
`recoupe.toml`, an index, or Recoupe itself; without one the index is the user's own.
"""

from __future__ import annotations

import json
import os
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from limits import parse
from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rag import messages, texts
from rag.errors import SettingsError

_PREFIX, _TOML, _INDEX = "RECOUPE_", "recoupe.toml", ".recoupe"
# Of the benches and of the tests, which share the prefix.
_NOT_OURS = ("RECOUPE_BENCH_", "RECOUPE_BROWSER_TESTS")
_EXAMPLES = {
    "sources": "https://www.journal.fr/rss, /srv/presse",
    "own_hosts": "www.journal.fr, archives.journal.fr",
    "allowed_origins": "https://www.journal.fr, https://journal.fr",
    "trusted_proxies": "127.0.0.1, 10.0.0.0/8",
    "rate_client": "30/minute",
    "public_url": "https://recoupe.journal.fr",
    "public_text": "false",
    "sentence_vectors": "true",
    "require_site": "true",
    "log_questions": "true",
    "keep_questions": "true",
    "log_level": "INFO",
}


def project_folder() -> Path | None:
    """Return the nearest folder, from the working directory up, of a project; None without one."""
    here = Path.cwd()
    return next((f for f in (here, *here.parents) if _is_project(f)), None)


def _is_project(folder: Path) -> bool:
    checkout = (folder / "ingest.py").is_file() and (folder / "rag").is_dir()
    return checkout or (folder / _TOML).is_file() or (folder / _INDEX).is_dir()


def _default_index() -> Path:
    project = project_folder()
    return project / _INDEX if project else user_data_path("recoupe", appauthor=False) / "index"


class _Toml(TomlConfigSettingsSource):
    """The project's file; a folder that it names relatively lies beside it."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        folder = project_folder() or Path.cwd()
        super().__init__(settings_cls, toml_file=folder / _TOML)
        if "index_dir" in self.init_kwargs:
            self.init_kwargs["index_dir"] = folder / str(self.init_kwargs["index_dir"])


class Settings(BaseSettings):
    """All that can be set; see docs/settings.md for the long form."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="forbid", enable_decoding=False
    )

    index_dir: Path = Field(default_factory=_default_index, description="dossier de l'index")
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

    reranker: str = Field(
        "features", pattern=r"^(features|none|cross-encoder:.+)$",
        description="features, none ou cross-encoder:NOM",
    )  # fmt: skip

    stance: str = Field(
        "features", pattern=r"^(features|llm|cross-encoder:.+)$",
        description="features, llm ou cross-encoder:NOM",
    )  # fmt: skip
    verdict_precision: float = Field(
        0.65, ge=0, le=1, description="part de verdicts justes demandée, abstention sinon"
    )

    llm: str = Field("", description="modèle de langue FOURNISSEUR:NOM ; vide : extraits seuls")
    llm_base_url: str = Field("", description="adresse du service du modèle de langue")
    llm_api_key: SecretStr = Field(SecretStr(""), description="clé de ce service")
    llm_timeout: float = Field(60.0, gt=0, description="délai maximal, en secondes")
    llm_context: int = Field(8192, ge=2048, description="fenêtre du modèle, en tokens")

    candidates: int = Field(50, ge=5, le=500, description="passages tirés de chaque index")
    answer_passages: int = Field(6, ge=1, le=20, description="passages donnés à la réponse")
    answer_sentences: int = Field(3, ge=1, le=10, description="phrases d'une réponse extraite")
    overview_sentences: int = Field(5, ge=1, le=12, description="phrases d'un récit ou d'un bilan")
    caution: float = Field(
        0.5, ge=0, le=1,
        description="ce que coûte une réponse fausse, face à un refus à tort : 0 rien, 0.5 autant",
    )  # fmt: skip

    host: str = Field("127.0.0.1", description="adresse d'écoute")
    port: int = Field(7860, ge=0, le=65535, description="port d'écoute")
    public_url: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="adresse publique, derrière un mandataire"
    )
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
    require_site: bool = Field(
        False, description="refuser ce qui vient sans la clé d'un site (« recoupe site »)"
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="mandataires dont les en-têtes X-Forwarded-* sont crus"
    )
    concurrent: int = Field(2, ge=1, le=64, description="questions traitées à la fois")
    waiting: int = Field(16, ge=0, le=1000, description="questions en attente, au plus")
    max_body_kb: int = Field(1024, ge=1, description="taille maximale d'une requête, en Ko")
    log_questions: bool = Field(False, description="écrire les questions dans le journal")
    keep_questions: bool = Field(
        False, description="garder ce qui est demandé, masqué, pour la page de la rédaction"
    )
    keep_questions_days: int = Field(
        30, ge=1, le=366, description="durée de garde de ce qui est demandé, en jours"
    )
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
        return init_settings, env_settings, _Toml(settings_cls)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is no address and no network: it would be trusted for nothing."""
        for part in value:
            ip_network(part, strict=False)
        return value

    @field_validator("rate_client", "rate_global", "rate_claims", "rate_events", "rate_sessions")
    @classmethod
    def _rate(cls, value: str) -> str:
        """Refuse what is no rate."""
        parse(value)
        return value

    @field_validator("sources", "own_hosts", "allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Read a list as JSON, or as words between commas."""
        if not isinstance(value, str):
            return value
        if value.strip().startswith("["):
            return json.loads(value)
        return [part.strip() for part in value.split(",") if part.strip()]


_RENAMED = {"threshold": "caution"}  # settings that had another name


def load_settings(**overrides: Any) -> Settings:
    """Return the settings; `overrides` that are None are ignored.

    Raises SettingsError naming the first bad setting in French.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    _check_names()
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(_message(error.errors()[0], given)) from error
    except ValueError as error:  # a recoupe.toml that is not TOML
        file = (project_folder() or Path.cwd()) / _TOML
        raise SettingsError(messages.BAD_SETTINGS_FILE.format(file, error)) from error


def _check_names() -> None:
    """Raise SettingsError for a variable that names no setting: a slip would change nothing."""
    variables = [f"{_PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in sorted(os.environ):
        if name.startswith(_PREFIX) and not name.startswith(_NOT_OURS) and name not in variables:
            raise SettingsError(messages.UNKNOWN_VARIABLE.format(name, _hint(name)))


def _hint(name: str) -> str:
    """Return what may have been meant by a name that is none."""
    bare, prefix = name.removeprefix(_PREFIX), _PREFIX if name.startswith(_PREFIX) else ""
    if new := _RENAMED.get(bare.lower()):
        return messages.RENAMED_SETTING.format(prefix + (new.upper() if prefix else new))
    names = {n: n for n in Settings.model_fields} | _RENAMED
    if prefix:
        names = {n.upper(): new.upper() for n, new in names.items()}
    near = get_close_matches(bare, sorted(names), 1, cutoff=0.75)
    return messages.NEAR_SETTING.format(prefix + names[near[0]]) if near else messages.ALL_SETTINGS


def _message(error: ErrorDetails, given: dict[str, Any]) -> str:
    """Return what is wrong with a setting: where it was given, its value, an example."""
    name = ".".join(str(part) for part in error["loc"][:1]) or "?"
    variable, field = f"{_PREFIX}{name.upper()}", Settings.model_fields.get(name)
    toml = (project_folder() or Path.cwd()) / _TOML
    if name in given:
        where = messages.SETTING.format(name)
    elif variable in os.environ:
        where = variable
    else:
        where = messages.SETTING_IN_FILE.format(name, toml)
    reason = texts.FIELD_ERRORS.get(error["type"], texts.OTHER_FIELD_ERROR)
    if field is None:
        return messages.UNKNOWN_SETTING.format(where, _hint(name))
    if error["type"] in {"string_pattern_mismatch", "value_error"} and field.description:
        reason = messages.NOT_EXPECTED.format(field.description)
    secret = field.annotation is SecretStr
    value = "" if secret else messages.SETTING_VALUE.format(str(error.get("input", ""))[:80])
    example = _EXAMPLES.get(name, field.default)
    has_example = example not in ("", None) and not secret
    shown = messages.FOR_EXAMPLE.format(example) if has_example else ""
    return messages.BAD_SETTING.format(where, value, reason, shown)
