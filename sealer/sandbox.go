package sealer

import (
	"yinxin/sealer/pdf"
)

// trialWord marks what is sealed with a sandbox key: on every page, and at the beginning of the reason in the signature.
const trialWord = "测试"

// reason is what the signature gives as its reason.
func (o Order) reason() string {
	switch {
	case !o.sandbox:
		return o.Reason
	case o.Reason == "":
		return trialWord
	}
	return trialWord + " " + o.Reason
}

// trialMark is the watermark of what is sealed with a sandbox key, in the colours that go with the seal. Error:
// pdf.no-font.
func (s *Service) trialMark(a *pdf.Appearance) (*pdf.Watermark, error) {
	font, err := s.font.get(s.Font)
	if err != nil {
		return nil, err
	}
	return pdf.NewWatermark(trialWord, font, a.Rendering().Calibrated)
}
