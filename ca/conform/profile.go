package conform

// Profile names a kind of certificate, by the same words as ca.Profile.
type Profile string

// The profiles.
const (
	Root        Profile = "root"
	Issuing     Profile = "issuing"
	Institution Profile = "institution"
	Personal    Profile = "personal"
	Encryption  Profile = "encryption"
	SealMaker   Profile = "seal-maker"
	OCSP        Profile = "ocsp"
	TSA         Profile = "tsa"
)

// naming is what the subject is called.
type naming int

const (
	named       naming = iota // O and CN
	sealNamed                 // O with the credit code before it, CN a seal code
	personNamed               // O the unit, CN the person
	eitherNamed               // as one of the two: an encryption certificate has the name of the signing certificate
)

// The bits of key usage (RFC 5280 4.2.1.3), as the first octet of the BIT STRING.
const (
	digitalSignature = 0x80
	nonRepudiation   = 0x40
	keyEncipherment  = 0x20
	dataEncipherment = 0x10
	keyAgreement     = 0x08
	keyCertSign      = 0x04
	cRLSign          = 0x02
)

// profile is what a kind of certificate must be.
type profile struct {
	months  int // the longest validity, in calendar months
	naming  naming
	usage   byte
	ca      bool
	pathLen int
	// The extensions besides those that all have; the others may not be there.
	required, optional []string
}

func profiles() map[Profile]*profile {
	pointers := []string{extPolicies, extCRLPoints, extAccess}
	with := func(more ...string) []string { return append(more, pointers...) }
	return map[Profile]*profile{
		Root:        {months: 360, usage: keyCertSign | cRLSign, ca: true, pathLen: 1},
		Issuing:     {months: 180, usage: keyCertSign | cRLSign, ca: true, required: pointers, optional: []string{extFreshest}},
		Institution: {months: 12, naming: sealNamed, usage: digitalSignature | nonRepudiation, required: with(extOrganisation), optional: []string{extFreshest}},
		Personal:    {months: 12, naming: personNamed, usage: digitalSignature | nonRepudiation, required: pointers, optional: []string{extIdentity, extFreshest}},
		Encryption: {months: 12, naming: eitherNamed, usage: keyEncipherment | dataEncipherment | keyAgreement, required: pointers,
			optional: []string{extOrganisation, extIdentity, extFreshest}},
		SealMaker: {months: 60, usage: digitalSignature | nonRepudiation, required: pointers, optional: []string{extFreshest}},
		OCSP:      {months: 24, usage: digitalSignature, required: with(extUsages, extNoCheck), optional: []string{extFreshest}},
		TSA:       {months: 60, usage: digitalSignature | nonRepudiation, required: with(extUsages), optional: []string{extFreshest}},
	}
}
