package api

import (
	"testing"

	"yinxin/internal/access"
)

func TestWhatIsDecidedElsewhereSaysWhere(t *testing.T) {
	for _, k := range []access.Kind{access.KindIssueCertificate, access.KindRevokeCertificate, access.KindSuspendCertificate, access.KindResumeCertificate,
		access.KindMakeSeal, access.KindCancelSeal, access.KindSuspendSeal, access.KindResumeSeal, access.KindGrant, access.KindGrantRole,
		access.KindApproveApplication, access.KindConfirmSuspension, access.KindLiftSuspension, access.KindRecoverKey, access.KindDestroyKey,
		access.KindChangeEscrow, access.KindUnlockKey, access.KindImportAnchor} {
		if step := ownSteps[k]; (step != "") != k.OwnStep() {
			t.Errorf("%s: %q", k, step)
		}
	}
}
