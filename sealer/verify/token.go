package verify

import (
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
)

// token is a time-stamp token (RFC 3161) that could be read. Nothing in it counts before judgeToken.
type token struct {
	Message *cms.SignedData
	Time    time.Time
	Hash    cms.Hash
	Imprint []byte
}

func readToken(data []byte) (*token, error) {
	message, err := cms.Parse(data)
	if err != nil {
		return nil, err
	}
	return tokenOf(message)
}

// tokenOf reads the time-stamp info in a signed message.
//
//	TSTInfo ::= SEQUENCE { version INTEGER, policy OID, messageImprint SEQUENCE { AlgorithmIdentifier, OCTET STRING },
//	  serialNumber INTEGER, genTime GeneralizedTime, … }
func tokenOf(message *cms.SignedData) (*token, error) {
	if message.ContentType != cms.TypeTSTInfo || !message.Embedded {
		return nil, errToken.New()
	}
	var info, imprint, algorithm, digest cryptobyte.String
	var version int64
	var policy asn1.ObjectIdentifier
	t := &token{Message: message}
	input := cryptobyte.String(message.Content)
	if !input.ReadASN1(&info, der.SEQUENCE) || !input.Empty() || !info.ReadASN1Integer(&version) || version != 1 ||
		!info.ReadASN1ObjectIdentifier(&policy) || !info.ReadASN1(&imprint, der.SEQUENCE) || !imprint.ReadASN1Element(&algorithm, der.SEQUENCE) ||
		!imprint.ReadASN1(&digest, der.OCTET_STRING) || !imprint.Empty() || !info.SkipASN1(der.INTEGER) || !info.ReadASN1GeneralizedTime(&t.Time) {
		return nil, errToken.New()
	}
	a, err := chain.ParseAlgorithm(algorithm)
	if err != nil {
		return nil, err
	}
	var ok bool
	if t.Hash, ok = cms.HashOf(a); !ok {
		return nil, chain.ErrAlgorithm.With("%s", a.OID)
	}
	t.Time, t.Imprint = t.Time.UTC(), digest
	return t, nil
}
