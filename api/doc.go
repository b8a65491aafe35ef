// Package api serves Yinxin over HTTP: the REST API under /v1, certificates, revocation lists and OCSP where the
// certificates point to, time stamps under /tsa, health and figures, and the page on which anyone verifies a file.
//
// New gives one http.Handler over the rooms that it is handed; the caller owns the listener. The handler brings its
// own deadlines for bodies and answers, so the server needs only ReadHeaderTimeout, IdleTimeout and MaxHeaderBytes.
//
// # Promises
//
// Every route says who may call it, and one that does not is closed to everyone; grants are checked in the domain, not
// here. Documents stream in both directions and are never held in memory. An upload that breaks off leaves nothing. A
// stored document that turns out to be damaged never arrives complete. What is uploaded for verification alone lies in
// an unnamed file while it is checked and is gone afterwards. Scans and workbooks of applications arrive in such a file
// and are taken into memory by few at a time. Errors are problem details (RFC 9457) with the stable
// code of the fault, its sentence in Chinese and English, and the place; causes go to the log, under the request's
// identifier, and never into an answer. Keys and file names are not logged.
//
// What changes an application, a batch or a suspension names in If-Match the revision that its author saw: without it the
// answer is 428, and 412 when somebody else was there before. Identity and mobile numbers are masked in every answer but
// that of …/unmask, the printed form, and scans, and each of those is in the application's history. What belongs to another
// unit does not exist for a caller: 404.
//
// The OpenAPI document is made from the same registrations that make the routes; openapi.json is its committed copy.
//
// Standards: RFC 9110 (HTTP), RFC 9457 (problem details), RFC 6585 (428), RFC 6750 (bearer keys), RFC 6266 and 8187 (file names), RFC
// 6960 appendix A (OCSP over HTTP), RFC 3161 clause 3.4 (time stamps over HTTP), RFC 5280 clause 4.2.1.13 (CRLs over HTTP).
package api
