"""The articles of the bench: six to read freely, one that readers pay for."""

from __future__ import annotations

from pathlib import Path

HALL = "Le maire a annoncé la réouverture de la halle."
_FREE = {
    "halle": (
        "Brissange : la halle aux grains rouvre",
        "Le maire de Brissange, Paul Aubry, a annoncé la réouverture de la halle pour le samedi 9 "
        "mars à 10 heures. Le bâtiment de 1867 a été restauré pour 4,2 millions d'euros. Le "
        "rez-de-chaussée accueillera 38 étals de producteurs.",
    ),
    "pont": (
        "Le pont de l'Ancre fermé six mois",
        "Le pont de l'Ancre sera fermé à la circulation du 4 avril au 30 septembre. Le chantier "
        "coûtera 2,3 millions d'euros, dont la moitié payée par le département.",
    ),
    "ecole": (
        "L'école des Essarts garde ses quatre classes",
        "L'école des Essarts gardera ses quatre classes à la rentrée. L'inspection avait prévu "
        "d'en fermer une en janvier. Les parents avaient occupé la cour pendant trois jours.",
    ),
    "tomme": (
        "La tomme de Lérac obtient son label",
        "La tomme de Lérac a obtenu son indication géographique protégée mardi 12 mars. Cela "
        "concerne 46 éleveurs et 1 200 tonnes de fromage par an.",
    ),
    "train": (
        "Le train revient à Malvaux",
        "Les trains régionaux s'arrêteront de nouveau à Malvaux dès le 15 décembre. La gare était "
        "fermée depuis 2011. Six allers et retours sont prévus chaque jour.",
    ),
    "crue": (
        "La crue de l'Orvelle a touché 210 maisons",
        "La crue de l'Orvelle a touché 210 maisons dans la nuit du 3 au 4 février. Le préfet a "
        "demandé la reconnaissance de l'état de catastrophe naturelle.",
    ),
}
_PAID = """\
La commune de Valbrune a reçu 312 000 euros de la région pour refaire la toiture de l'école des Tilleuls.
Deux hivers plus tard, des bâches bleues couvrent toujours les classes du premier étage.
« On nous parle d'un retard de livraison des ardoises », soupire Colette Marchal, qui préside les parents d'élèves.
À Courcelles, 148 500 euros devaient payer un préau pour le collège Lamartine.
Le préau existe, mais il avait été bâti trois ans avant que la subvention ne soit demandée.
La principale, Nadège Fournier, se souvient d'une inauguration sous la pluie, un matin de novembre 2017.
Malvaux a touché 96 200 euros afin de chauffer la salle d'attente de sa gare.
Or aucun train ne s'y arrêtait encore, et la porte du bâtiment restait murée.
Le chef du district ferroviaire dit n'avoir jamais été consulté sur ces radiateurs.
Tréfontaine affiche le chèque le plus gros de notre relevé, 540 000 euros pour des vestiaires.
Le club de football y joue depuis sur un terrain prêté par un agriculteur voisin.
Son trésorier, Yannick Delorme, tient un cahier où chaque promesse est datée et soulignée en rouge.
Saint-Aubert voulait sauver les vitraux de la chapelle des Pénitents avec 77 300 euros.
Un maître verrier de Chartres confirme avoir rendu son devis, puis n'avoir plus eu de nouvelles.
Les panneaux déposés dorment dans une grange, entre une herse et de vieilles ruches.
La passerelle d'Orvillers, rue du Moulin, devait être changée pour 225 000 euros.
Nous y avons compté onze planches manquantes et une barrière tenue par du fil de fer.
Le conseiller chargé de la voirie, Bertrand Cazaux, invoque une crue, une grève et un deuil.
Dans les comptes de Lérac, 410 000 euros sont inscrits pour la cave d'affinage de la coopérative.
Les fromagers n'ont vu passer que deux climatiseurs, achetés d'occasion à un traiteur.
Leur présidente, Mireille Vasseur, a écrit quatre fois au conseil régional sans obtenir de réponse.
Brissange a bien posé une verrière sur son marché couvert, mais pour la moitié des 185 400 euros versés.
L'autre moitié apparaît sous le libellé « divers et imprévus », page 43 du compte administratif.
Interrogé, l'ancien comptable public répond qu'il a quitté son poste et brûlé ses agendas.
Le théâtre de verdure de Montaigu attend ses gradins depuis que 133 000 euros lui ont été promis.
Chaque été, les spectateurs apportent leurs chaises pliantes et un parapluie.
La compagnie qui s'y produit a calculé que la somme aurait payé neuf saisons complètes.
La digue du canal des Anglais, à Pierrefonde, figure trois fois dans les délibérations, à trois prix différents.
L'ingénieur du syndicat de rivière n'a signé qu'un seul procès-verbal, daté d'un dimanche.
Vauclair a dépensé 59 900 euros pour le plancher d'une bibliothèque qui avait déménagé au printemps.
Les livres sont au sous-sol de la mairie, et le plancher neuf sert de salle de danse.
Le lycée horticole de Chanterive montre volontiers ses serres, payées 366 000 euros et toujours sans vitres.
Les élèves y apprennent à greffer des pommiers sous des filets de pêche.
Leur professeur, Antoine Kerviel, préfère en rire, mais il garde copie de tous les courriels.
Reste le cas de Bois-Renaud, où la chaufferie de la maison de retraite n'a jamais été commandée.
Les 104 600 euros ont pourtant quitté le compte de la région un vendredi soir, à 18 h 52.
La vice-présidente chargée des finances assure que tout sera rendu public avant la fin du mandat.
Un rapport interne de 87 pages, que nous avons lu, parle de contrôles réduits à un coup de téléphone.
Il recommande de suspendre onze dossiers et d'entendre les trois signataires des ordres de paiement.
Deux d'entre eux ont été promus en janvier, le troisième dirige aujourd'hui une agence immobilière.
Le parquet financier a ouvert une enquête préliminaire le 14 février, selon nos informations.
Aucun élu n'a été entendu pour l'instant, et les scellés tiennent dans quatre cartons.
Un magistrat de la chambre régionale des comptes évoque des pièces photocopiées de travers et des tampons sans date.
Les associations d'habitants demandent que chaque euro soit suivi jusqu'au chantier, nom par nom.
Elles ont créé une carte, mise à jour chaque semaine, où des punaises grises signalent les absences.
Personne n'a touché à l'enveloppe de la piscine de Sauvigny, faute de savoir à qui elle appartient.
Son bassin sert de réserve d'eau aux pompiers, qui y comptent les grenouilles avec un certain sérieux.
À Fontmorin, l'éclairage du gymnase a coûté deux fois, d'abord en néons, ensuite en procès.
L'électricien réclame encore 18 640 euros, et la commune lui oppose une signature illisible.
Le moulin des Trois-Écluses devait devenir un musée du papier, avec une roue, une presse et un café.
La roue a été livrée à Toulouse par erreur, où elle décore depuis un rond-point.
Quant à la presse, un collectionneur belge l'expose dans son vestibule, facture à l'appui.
Nos demandes de documents ont reçu trente-deux accusés de réception et deux réponses.
La première renvoyait à la seconde, la seconde annonçait une troisième qui ne vint pas.
Un ancien directeur de cabinet, rencontré dans un buffet de gare, décrit des réunions sans ordre du jour.
Il y voyait passer des chemises vertes, que l'on vidait avant de les ranger par couleur.
« On ne volait pas, on oubliait », résume-t-il en remuant longuement un café froid.
Cette phrase a fait bondir la députée Solange Birck, auteure de deux questions écrites restées sans suite.
Elle propose qu'un tiers indépendant contrôle chaque versement supérieur à 25 000 euros.
Le préfet, lui, rappelle que ses services n'examinent la légalité que des actes qui leur sont transmis.
Sur les treize communes visitées, neuf n'avaient rien transmis depuis le changement de logiciel.
Le prestataire informatique, liquidé au mois de juin, a laissé ses serveurs dans un garage de Nevers.
Nous les avons retrouvés grâce à l'étiquette d'un transporteur, collée sur une vieille photographie.
Les disques tournaient encore, et leur propriétaire espérait en tirer le prix d'une tondeuse.
Au siège de la région, l'huissier nous a poliment raccompagnés jusqu'au parking, puis a noté notre plaque."""
PAID_TITLE = "Enquête : où sont passés les fonds de la région"
_PAID_ADDRESS = "https://www.revue-orvelle.example/enquete-fonds"


def paid_sentences() -> list[str]:
    """Return the sentences of the paid article, each of its own words."""
    return _PAID.split("\n")


def write(folder: Path) -> None:
    """Write the articles as files that `ingest.py` reads."""
    folder.mkdir(parents=True)
    for number, (name, (title, text)) in enumerate(_FREE.items(), 1):
        header = (
            f'---\ntitle: "{title}"\nsource: Le Courrier de l\'Orvelle\nauthor: Ismaël Perrot\n'
            f"date: 2024-03-{number:02}\nurl: https://courrier-orvelle.example/{name}\n---\n\n"
        )
        (folder / f"{name}.md").write_text(header + text + "\n", encoding="utf-8")
    sentences = paid_sentences()
    paragraphs = "".join(
        f"<p>{' '.join(sentences[at : at + 4])}</p>\n" for at in range(0, len(sentences), 4)
    )
    # Pages of publishers say that readers pay; front matter has no word for it.
    (folder / "enquete.html").write_text(
        f'<html lang="fr"><head><title>{PAID_TITLE}</title><meta charset="utf-8">'
        f'<meta property="og:title" content="{PAID_TITLE}">'
        '<meta property="og:site_name" content="La Revue de l\'Orvelle">'
        '<meta property="article:published_time" content="2024-03-20">'
        '<meta property="article:content_tier" content="locked">'
        f'<link rel="canonical" href="{_PAID_ADDRESS}">'
        f"</head><body><article><h1>{PAID_TITLE}</h1>\n{paragraphs}</article></body></html>\n",
        encoding="utf-8",
    )
