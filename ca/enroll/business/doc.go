// Package business carries out what an approved application asks for: the six businesses of annex 1, the renewals that
// follow from them, and the suspension of a user.
package business
