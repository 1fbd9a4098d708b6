// How the search orders what it finds: as Sphinx does, but the tour, which answers questions, before
// other pages that hold the same words, and the texts about the project after them.
var Scorer = {
  score: ([page, , , , score]) => score + (page.startsWith("tour/") ? 12 : page.startsWith("project/") ? -12 : 0),
  objNameMatch: 11, objPartialMatch: 6, objPrio: { 0: 15, 1: 5, 2: -5 }, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,
};
