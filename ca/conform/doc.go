// Package conform says where a certificate leaves the rules: those of GM/T 0015 and GB/T 20518 for certificates with SM2
// keys, of RFC 5280, of DER, and of Yinxin's own profiles. The authority asks it about a twin of every certificate before
// the real key signs; whoever takes in a certificate of another authority asks it about that one.
//
// Call [Check] with the bytes of a certificate and what it is meant to be; what comes back is empty for a certificate that
// keeps every rule. [Linter] adds what zlint says. zlint cannot read SM2 keys, so it is given a twin in which only the
// algorithms, the key and the signature are others ([Linter.Check]).
//
// The rules are stated here a second time, apart from the code that writes certificates, and read with a reader of their
// own that looks at the encoding: that is their worth. Nothing is judged by the present, and signatures are not checked:
// that is for ca/chain.
package conform
