// Package docs holds what of the documentation the program itself reads.
package docs

import _ "embed"

// Errors is the table of all error codes, errors.md.
//
//go:embed errors.md
var Errors string
