"""Common given names of the languages that detectors speak, in lower case. A name beside its label is a person's.

The most frequent ones of the birth statistics of the last decades, by hand; words that are also nouns are left out.
"""

from __future__ import annotations

from typing import FrozenSet

_NAMES = """
aaron abby abdul abigail ada adam adele adrian adriana agnes agnieszka ahmed aisha alan alba albert alberto aldo
alejandra alejandro alessandra alessandro alessia alex alexander alexandra alfred alfredo ali alice alicia alina
alison allison alma amanda amelia amelie amina amir amy ana anders andrea andreas andrei andrew andrzej andy angela
angelo anika anita anja anke ann anna anne annette annika anthony antje anton antonella antonia antonio april ariana
arjun arthur arturo astrid audrey aurora austin ava axel barbara beata beatrice beatriz ben benjamin bernard bernd
berta beth bettina bianca birgit bjorn bob boris brandon brenda brian bridget bruno bryan camila camille carl carla
carlo carlos carmen carol carolina caroline catarina catherine cecilia celine charles charlotte chiara chloe chris
christa christian christiane christina christine christoph christopher claire clara claudia claudio colin connor
cristian cristina cynthia dagmar damian dan daniel daniela daniele danielle dario david davide deborah denise dennis
derek diana diane diego dieter dimitri dirk dolores dominik dominique donald donna dora doris dorothy douglas duncan
dylan edgar edith eduardo edward elaine eleanor elena eli elias elisa elisabeth elizabeth elke ella ellen eloise
elsa emanuele emil emilia emilie emily emma enrico enrique eric erica erik erika ernst esther ethan eugene eva
evelyn fabian fabio fatima federica federico felipe felix fernanda fernando filip filippo finn fiona florence
florian francesca francesco francis francisco frank franz fred frederic frieda friedrich gabriel gabriela gabriele
gareth gary gemma georg george gerald gerd gerhard giacomo gianluca gina giorgio giovanna giovanni gisela giulia
giuseppe gonzalo gordon grace graham greg gregory greta guillaume guillermo gustavo hanna hannah hans harald harry
hassan hector heidi heike heinrich heinz helen helena helene helga helmut henri henrik henry herbert hilde holger
hugo ian ibrahim ida ignacio igor ines ingrid irene irina iris isaac isabel isabella isabelle ismail ivan jack
jackie jacob jacqueline jacques jakob jakub james jamie jan jana jane janet janine jasmin jason javier jean jeff
jeffrey jelena jennifer jens jeremy jessica jesus jill jim joachim joana joanna joao jochen joel johan johann
johanna john johnny jon jonas jonathan jordi jorge jose josef joseph josh joshua juan juana judith julia julian
juliana julie julien juliette julio jurgen justin jürgen kamil karen karin karina karl karla karsten katarzyna kate
katharina katherine kathleen kathrin katie katja katrin kay keith kelly ken kenneth kerstin kevin kim klara klaus
konrad kristin kristina krzysztof kurt kyle lara lars laura lauren laurent lea leah lena leo leon leonardo leonie
leticia lewis liam lidia lili lina linda lisa liv logan lorena lorenzo louis louise luca lucas lucia luciana lucie
lucy ludwig luigi luis luisa lukas lydia maarten madison magdalena maja malik manfred manuel manuela mara marc
marcel marcelo marco marcos marcus margaret margarita margit maria marian mariana marie marina mario marion marisa
marta martha martin martina mary mateo mateusz mathias mathieu mathilde matilda matteo matthew matthias maurice
mauro max maxim maximilian maya megan melanie melissa mia michael michaela michal michel michele michelle miguel
mika mike mila milan miriam mohamed mohammed monica monika monique moritz muhammad nadia nadine nancy naomi natalia
natalie nathalie nathan neil nele nicholas nick nico nicola nicolas nicole niels nikolai nils nina noah noel noemi
nora norbert norman nuno olaf oliver olivia olivier omar oscar oskar otto pablo paloma pamela paola paolo pascal
patricia patrick patrizia paul paula paulo pedro peggy petra philip philipp philippe phillip pia pierre pietro pilar
piotr priya rachel rafael raffaele rainer raj ralf ralph ramon raquel raul rebecca regina reinhard renate rene
ricardo riccardo richard rita robert roberta roberto robin rodrigo roger roland rolf roman ronald ronja rosa rosario
roy ruben rudolf rui rupert russell ruth ryan sabine sabrina samantha samir samuel sandra sandro sara sarah sascha
scott sean sebastian selma serena sergei sergio sharon sheila shirley sibylle silke silvia simon simona simone sofia
sofie sonia sonja sophia sophie stan stefan stefania stefano steffen stella stephan stephane stephanie stephen steve
steven stuart susan susana susanne suzanne sven svenja sylvia tamara tania tanja tara tatjana teresa terry theo
theodor theresa thomas thorsten tiago till tim timo timothy tina tobias tom tomas tomasz tommaso toni tony tracy
ulrich ulrike ursula uta uwe valentin valentina valeria valerie vanessa vera veronica veronika victor victoria
viktor vincent vincenzo virginia vivian volker walter wanda wayne wendy werner wilhelm willem william wolfgang
xavier yannick yasmin yusuf yvonne zoe zofia
"""

GIVEN_NAMES: FrozenSet[str] = frozenset(_NAMES.split())
