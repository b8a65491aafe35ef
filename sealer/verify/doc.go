// Package verify judges a sealed PDF: whether the seals and signatures in it are genuine, whether anything was
// changed after them, and whether those who made them are trusted.
//
// Call File with the bytes of a PDF; it gives a Report and never an error: a file that cannot be read is a verdict
// too. Worst and ExitCode put several verdicts together. Release is the quick check of a file that was just sealed
// here, before it is handed out.
//
// The order is that of GM/T 0031-2014, GB/T 38540-2020 and GM/T 0031-2025 for seals, and integrity is judged before trust: a changed
// file under an unknown anchor is modified, not undetermined. Everything inside a signature is judged at the time of
// signing. No verdict is good by default: what was not checked is said, check by check.
//
// What this version does: seals (SES_Signature, SM2 and SM3) completely, except their time stamps; signatures in CMS
// are recognised and what they cover and what came after them is judged, their values are not checked, so they are
// undetermined at best.
//
// The bytes are read once, in small pieces; one running SM3 serves all seals. Memory does not grow with the file.
// Content never causes access to the network or to other files.
package verify
