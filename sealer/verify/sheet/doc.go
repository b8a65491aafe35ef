// Package sheet writes a verification report as a document that a person can read, print and file: HTML or PDF, A4, in
// Chinese or English. Call [HTML] or [PDF] with a report of package verify.
//
// It says what the report says and adds no judgement of its own: the verdict with colour, icon and words; for each
// signature the picture from the signed data, who, when and how the time is known, the checks, what was changed later and
// where; and what was not checked. The words for verdicts, checks and kinds are here for everyone who shows a report:
// [LookOf], [OutcomeOf], [CheckName], [KindWord], [CoverageWord], [TimeSourceWord], [Moment].
//
// What it promises: the HTML is one file that asks for nothing from anywhere and runs no script. What stands in the
// sealed file is text to it, never markup. Pictures that are too large, or no plain raster pictures, are left out.
package sheet
