// Package wayup says which way up print stands, Chinese above all: characters are heavier, wider and more open on some of
// their sides than on others. Of a single one four turns are told apart nine times in ten, and a page has hundreds.
//
// A character is looked at as Side × Side cells. Turns gives the odds of the four quarter turns by a small network whose
// weights (weights.bin) were fitted to the 3,755 characters of GB/T 2312, level 1, in several Song, Hei and Kai typefaces, and to
// groups of letters and digits; `make wayup` fits them anew. One and the same network looks at the four turns of the cells, so none is preferred.
package wayup
