package sealer

import (
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// Profile says how a seal is carried in a file (docs/formats.md).
type Profile string

// The profiles. The empty one is ProfileSeal.
const (
	ProfileSeal  Profile = "seal"   // SES_Signature of GB/T 38540-2020
	ProfileCMSGM Profile = "cms-gm" // SignedData of GB/T 35275, for readers that expect a signature
	ProfileCMS   Profile = "cms"    // SignedData of RFC 5652, PAdES-shaped; the one that keeps PDF/A-2 and -3
)

// Profiles lists them, the default first.
var Profiles = []Profile{ProfileSeal, ProfileCMSGM, ProfileCMS}

// names gives /Filter and /SubFilter of a profile. Those of ProfileSeal are the service's to choose: GM/T 0112-2021
// leaves readers with several.
func (s *Service) names(p Profile) (filter, subFilter pdf.Name, err error) {
	switch p {
	case ProfileSeal:
		return s.Filter, s.SubFilter, nil
	case ProfileCMSGM:
		return "Adobe.PPKLite", "adbe.pkcs7.detached", nil
	case ProfileCMS:
		return "Adobe.PPKLite", "ETSI.CAdES.detached", nil
	}
	return "", "", errOrder.With("%.40q", p).At(fault.Field("profile"))
}
