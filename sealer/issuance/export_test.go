package issuance

// For the tests of this package.
var (
	CodeIn  = codeIn
	NewCode = newCode
	Grouped = grouped
)
