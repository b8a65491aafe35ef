// Package accuracy measures sealer/imprint against drawn forms whose truth is known: how well the templates agree with
// the ideal seals, how many good forms are refused, and how many forms that must be refused are not.
//
// Cases draws up the list of forms for a range of seeds, Measure draws one, processes and scores it, Report puts the
// scores into the table. `make imprint-table` does all that. Seeds are of two ranges that share nothing: Tuning is for
// working on the code, HeldOut for figures that are published; nobody looks at single forms of HeldOut.
package accuracy
