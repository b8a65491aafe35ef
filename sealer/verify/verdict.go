package verify

// Verdict is the answer about a signature or a file.
type Verdict string

// The verdicts. Unsealed and Unreadable are of files only.
const (
	// Valid: genuine, unchanged, trusted.
	Valid Verdict = "valid"
	// ValidWithAdditions is Valid, and only permitted changes came after.
	ValidWithAdditions Verdict = "valid-with-additions"
	// Undetermined: unchanged as far as known, but something needed for trust could not be established.
	Undetermined Verdict = "undetermined"
	// Modified: the content was changed after signing.
	Modified Verdict = "modified"
	// Invalid: the signature is broken, forged, or made by someone who must not.
	Invalid Verdict = "invalid"
	// Unsealed: no signature at all.
	Unsealed Verdict = "unsealed"
	// Unreadable: not a PDF that can be read.
	Unreadable Verdict = "unreadable"
)

// severity orders verdicts from the harmless to the worst. A file that is proved forged is worse than one of which
// nothing can be said.
func (v Verdict) severity() int {
	switch v {
	case Valid:
		return 0
	case ValidWithAdditions:
		return 1
	case Undetermined:
		return 2
	case Unsealed:
		return 3
	case Unreadable:
		return 4
	case Modified:
		return 5
	}
	return 6
}

// Worst is the worst of the verdicts, from the worst: invalid, modified, unreadable, unsealed, undetermined,
// valid-with-additions, valid. Without any it is Unreadable: nothing was judged.
func Worst(verdicts ...Verdict) Verdict {
	if len(verdicts) == 0 {
		return Unreadable
	}
	worst := verdicts[0]
	for _, v := range verdicts[1:] {
		if v.severity() > worst.severity() {
			worst = v
		}
	}
	return worst
}

// ExitCode is the exit status of the command for the verdict: 0 valid or valid-with-additions, 1 modified or
// invalid, 2 undetermined, 3 unsealed, 4 unreadable.
func (v Verdict) ExitCode() int {
	switch v {
	case Valid, ValidWithAdditions:
		return 0
	case Undetermined:
		return 2
	case Unsealed:
		return 3
	case Unreadable:
		return 4
	}
	return 1
}

// ExitCode is the exit status for several files: that of the worst verdict.
func ExitCode(reports ...*Report) int {
	verdicts := make([]Verdict, len(reports))
	for i, r := range reports {
		verdicts[i] = r.Verdict
	}
	return Worst(verdicts...).ExitCode()
}
