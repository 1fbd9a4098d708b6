// The data sets of `micrograd.datasets` that are generated.

const SETS = {};
function madeSet() { throw new RangeError("no such data"); }
