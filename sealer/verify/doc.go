// Package verify judges a sealed PDF: whether the seals, signatures and time stamps in it are genuine, whether anything
// was changed after them, and whether those who made them are trusted.
//
// Call File with the bytes of a PDF; it gives a Report and never an error: a file that cannot be read is a verdict
// too. Worst and ExitCode put several verdicts together. Release is the quick check of a file that was just sealed
// here, before it is handed out. AsSealed gives the document as it was when a signature was made. Package sheet makes a
// document of a Report.
//
// The order is that of GM/T 0031-2014, GB/T 38540-2020 and GM/T 0031-2025 for seals, and integrity is judged before trust: a changed
// file under an unknown anchor is modified, not undetermined. No verdict is good by default: what was not checked is said,
// check by check.
//
// What is judged, by what Contents is and not by what it is called: seals (SES_Signature); signatures in CMS and GB/T
// 35275 with SM2 and SM3, whose seal travels as a signed attribute and is checked as one; RSA (PKCS #1 v1.5, PSS) and
// ECDSA with SHA-2; RFC 3161 document time stamps. SHA-1 (adbe.pkcs7.sha1, adbe.x509.rsa_sha1) is never better than
// undetermined.
//
// Time: a signature is judged at a proved time if there is one: that of a time stamp over its value, or of the first good
// document time stamp that covers it; else at the time that its signer claims, and then its certificate must still be good
// now; else, for a message without a claim, now. What was good at the claimed time and not any more at the proved one is
// undetermined. Each document time stamp is proved by the next, the last must be good now. The authority's certificate
// counts as not revoked when nothing known says otherwise up to when the stamp is relied on.
//
// Proofs that the file carries (DSS with VRI, certificates, lists and answers inside signed data) help to build chains
// and to know revocation; none is trusted by itself. Online asks the addresses in certificates, below an anchor only.
//
// The bytes are read once, in small pieces, into one running state for each digest in use. Memory does not grow with the
// file, and time is bounded. Content never causes access to the network or to other files, but for Online, if asked for.
package verify
