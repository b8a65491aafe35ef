package cms

// SignedOctets are what Value signs when there are signed attributes: these, under the SET tag, as they stand. For a
// second implementation that checks the value too.
func (s *Signer) SignedOctets() []byte { return s.signedOctets }
