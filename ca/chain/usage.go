package chain

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"yinxin/internal/oid"
)

// Usage is what a certificate is asked for.
type Usage int

const (
	// UsageAny asks for nothing: chain and validity only.
	UsageAny Usage = iota
	// UsageSign: signatures on documents. Key usage digitalSignature or nonRepudiation.
	UsageSign
	// UsageSealMaker: the signature of the seal maker on a seal. As UsageSign.
	UsageSealMaker
	// UsageCRL: signatures on revocation lists. Key usage cRLSign.
	UsageCRL
	// UsageOCSP: a delegated OCSP responder. Extended key usage OCSPSigning (RFC 6960 4.2.2.2).
	UsageOCSP
	// UsageTimeStamp: a time-stamp authority. Extended key usage timeStamping (RFC 3161 2.3).
	UsageTimeStamp
)

var (
	ekuServerAuth  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	ekuCodeSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
)

const signing = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment

// allows says whether the key usage has one of the bits. Without the extension every use is allowed (RFC 5280 4.2.1.3).
func (c *Certificate) allows(bits x509.KeyUsage) bool {
	return !c.HasKeyUsage || c.KeyUsage&bits != 0
}

// hasExtKeyUsage says whether the extension names the purpose. anyExtendedKeyUsage does not stand for special ones.
func (c *Certificate) hasExtKeyUsage(purpose asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.ExtKeyUsage, purpose.Equal)
}

// checkUsage says whether a certificate may be used so. Errors: ErrKeyUsage.
func checkUsage(c *Certificate, u Usage) error {
	switch u {
	case UsageAny:
		return nil
	case UsageSign, UsageSealMaker:
		if !c.allows(signing) {
			return ErrKeyUsage.With("digitalSignature")
		}
		if c.ExtKeyUsage != nil && !slices.ContainsFunc(c.ExtKeyUsage, fitForDocuments) {
			return ErrKeyUsage.With("extKeyUsage")
		}
		return nil
	case UsageCRL:
		if !c.allows(x509.KeyUsageCRLSign) {
			return ErrKeyUsage.With("cRLSign")
		}
		return nil
	case UsageOCSP:
		if !c.allows(signing) || !c.hasExtKeyUsage(oid.EKUOCSPSigning) {
			return ErrKeyUsage.With("OCSPSigning")
		}
		return nil
	case UsageTimeStamp:
		if !c.allows(signing) || !c.hasExtKeyUsage(oid.EKUTimeStamping) {
			return ErrKeyUsage.With("timeStamping")
		}
		return nil
	}
	return ErrKeyUsage.New()
}

// fitForDocuments says whether an extended key usage may stand on the certificate of someone who signs documents: any
// but those of machines. A key whose certificate says only those was never given to a person or institution to sign.
func fitForDocuments(purpose asn1.ObjectIdentifier) bool {
	for _, machine := range []asn1.ObjectIdentifier{oid.EKUOCSPSigning, oid.EKUTimeStamping, ekuServerAuth, ekuCodeSigning} {
		if purpose.Equal(machine) {
			return false
		}
	}
	return len(purpose) > 0
}

// usageNotes says what RFC 3161 and institution profiles ask for and this certificate does without.
func usageNotes(c *Certificate, u Usage, n *notes) {
	if u == UsageAny {
		return
	}
	if !c.HasKeyUsage {
		n.add("the certificate does not limit its key usage")
	}
	if u == UsageTimeStamp && (!c.ExtKeyUsageCritical || len(c.ExtKeyUsage) != 1) {
		n.add("the time-stamp certificate has other purposes, or does not mark its purpose critical")
	}
}
