"""Words of the French press that say the same thing, by family.

A question and an article rarely use one word: « qui a gagné » is answered by
« a remporté ». Families join verbs, nouns and agents of one notion; they are
for finding and ranking only, never for checking what a model wrote.
"""

from __future__ import annotations

from functools import lru_cache

from rag.french.words import fold, stem

_FAMILIES = """
gagner remporter vaincre vainqueur victoire triompher imposer lauréat succès champion
perdre défaite battu échouer échec
coûter coût prix tarif montant facture dépense payer euros budget financer somme
acheter achat acquérir acquisition racheter reprendre reprise
vendre vente vendu céder cession
personne visiteur spectateur participant public fréquentation entrée affluence habitant gens foule
mourir mort décès décéder disparition disparaître tuer victime perdre
blesser blessé blessure
naître naissance né bébé accouchement enfant
évacuer évacué évacuation déplacer reloger quitter sinistré
héberger accueillir accueil dormir loger logement lit abriter
fermer fermeture clore suspendre interrompre cesser
ouvrir ouverture inaugurer inauguration rouvrir réouverture lancer lancement
commencer début débuter démarrer démarrage lancer entamer
finir fin achever terminer achèvement conclure
construire construction bâtir édifier ériger fonder fondation créer création
détruire destruction démolir ravager abattre couper raser
réparer réparation restaurer restauration rénover rénovation travaux chantier
abîmer endommager dégât dommage fissure lézarde casser dégradation
incendie feu brûler flamme sinistre brasier
inondation crue inonder déborder submerger montée eau
voler vol voleur dérober cambrioler cambriolage subtiliser
retrouver découvrir découverte trouver repérer localiser
représenter montrer figurer décrire dépeindre illustrer
diriger directeur directrice dirigeant patron responsable chef tête gérant
présider président présidente présidence
entraîner entraîneur entraîneure coach
fabriquer fabrication produire production usine
employer emploi salarié employé poste travailleur ouvrier effectif
licencier licenciement supprimer suppression
embaucher recruter recrutement engager
juger jugement tribunal procès justice juge verdict
condamner condamnation peine prison sanction sursis punir
accuser accusation poursuivre reprocher soupçonner examen prévenu
avocat défendre défense avocate
voter vote scrutin élection élire élu adopter
refuser refus rejeter rejet opposer contester dénoncer
accepter accord accorder approuver valider signer entente
demander réclamer exiger revendiquer souhaiter
promettre promesse engager assurer garantir
annoncer annonce déclarer déclaration communiqué dire indiquer affirmer
critiquer regretter déplorer reprocher dénoncer relever
prévoir prévu prévision attendre attendu devoir prochain
raison cause motif expliquer invoquer pourquoi
interdire interdiction défendre interdit
risquer risque amende sanction contrevenant
autoriser autorisation permis permettre
augmenter hausse augmentation croissance monter grimper
baisser baisse diminuer réduction réduire recul chuter
retard retarder retardé ponctualité tardif
durée durer temps heure minute jour mois an année
longueur long mesurer mesure mètre kilomètre distance
surface hectare superficie étendue
vitesse km rouler rapide limiter
train ligne gare ferroviaire rail quai
voiture véhicule automobile auto automobiliste circulation trafic
arbre chêne pin cèdre bois forêt
animal bête brebis mouton vache chien troupeau
médecin docteur pédiatre praticien soignant urgentiste infirmier
hôpital clinique maternité urgences santé
école élève lycée classe collège scolaire étudiant enseignement
soldat militaire armée troupe casque policier force
agriculteur éleveur paysan ferme élevage exploitant
argent euros fonds crédit subvention aide avance versement
lieu endroit site situer trouver
mettre entrer service fonctionner
partir départ quitter retrait retirer
revenir retour rentrer
remplacer remplaçant succéder successeur reprendre
groupe entreprise société firme compagnie
monument église clocher château abbaye bâtiment édifice
livre roman ouvrage écrivain auteur publier
tableau toile peinture huile œuvre peintre
analyse analyser preuve prouver confirmer démontrer
secret astuce manière façon moyen
"""


@lru_cache(maxsize=1)
def _families() -> dict[str, frozenset[int]]:
    """Return the families of each stem, by number."""
    found: dict[str, set[int]] = {}
    for number, line in enumerate(_FAMILIES.strip().splitlines()):
        for word in line.split():
            found.setdefault(stem(fold(word)), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


@lru_cache(maxsize=4096)
def family(stem: str) -> frozenset[str]:
    """Return the stems that belong to a family with this one, itself among them."""
    mine = _families().get(stem, frozenset())
    return frozenset(other for other, theirs in _families().items() if mine & theirs)


def related(a: str, b: str) -> bool:
    """Tell whether two stems belong to one family."""
    families = _families()
    return bool(families.get(a, frozenset()) & families.get(b, frozenset()))
