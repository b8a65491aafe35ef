package command

import (
	"fmt"
	"strings"

	"yinxin/sealer/verify"
	"yinxin/sealer/verify/sheet"
)

// verdictMarks stand before a file; the word after its name is the verdict as programs read it.
var verdictMarks = map[verify.Verdict]string{
	verify.Valid: "✔", verify.ValidWithAdditions: "ℹ", verify.Undetermined: "⚠", verify.Modified: "✘", verify.Invalid: "✘",
	verify.Unsealed: "–", verify.Unreadable: "✘",
}

// reportLabels name the lines of a signature.
var reportLabels = map[string]struct{ seal, signer, authority, time, claimed, algorithm, coverage, comma string }{
	"zh": {"印章", "签章单位", "时间戳机构", "时间", "签章人的时钟", "算法", "覆盖范围", "，"},
	"en": {"seal", "signer", "authority", "time", "signer's clock", "algorithm", "coverage", ", "},
}

// printReport writes a report for a person, in the words of the page and the printed report.
func printReport(s streams, r *verify.Report, language string) {
	fmt.Fprintf(s.out, "%s %s: %s\n  %s\n", verdictMarks[r.Verdict], r.File, r.Verdict, r.Summary)
	label := reportLabels[language]
	for i, g := range r.Signatures {
		fmt.Fprintf(s.out, "\n  %d. %s %s: %s\n", i+1, sheet.KindWord(g.Kind, language), g.Field, g.Verdict)
		when := sheet.Moment(g.Time, language)
		if source := sheet.TimeSourceWord(g.TimeSource, language); source != "" {
			when += label.comma + source
		}
		signer, claimed := label.signer, ""
		if g.Kind == verify.KindTimeStamp {
			signer = label.authority
		}
		if g.ClaimedTime != g.Time {
			claimed = sheet.Moment(g.ClaimedTime, language)
		}
		for _, line := range [][2]string{{label.seal, g.Seal}, {signer, g.Signer}, {label.time, when}, {label.claimed, claimed},
			{label.algorithm, g.Algorithm}, {label.coverage, sheet.CoverageWord(g.Coverage, language)}} {
			if line[1] != "" {
				fmt.Fprintf(s.out, "     %s %s\n", padded(line[0], 14), line[1])
			}
		}
		widest := 0
		for _, k := range g.Checks {
			widest = max(widest, columns(sheet.CheckName(k.Name, language)))
		}
		for _, k := range g.Checks {
			fmt.Fprintf(s.out, "     %s %s  %s\n", sheet.OutcomeOf(k.Result, language).Mark, padded(sheet.CheckName(k.Name, language), widest), k.Detail)
		}
		for _, change := range g.ChangesAfter {
			fmt.Fprintf(s.out, "     + %s\n", change.Detail)
		}
	}
}

// padded fills a text with spaces up to so many columns of a terminal.
func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-columns(text)))
}

// columns are what a text takes on a terminal, where a Chinese character takes two.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r >= 0x2e80 {
			n++
		}
	}
	return n
}
