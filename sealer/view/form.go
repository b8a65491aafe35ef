package view

import (
	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/structs"
)

// drawForm draws the form fields of a page over its content: PDFium leaves them to its form filling, and a seal is the
// widget of a signature field. Nothing is filled or run: what PDFium would have a viewer do (open an address, go to a
// page, start a timer) is not done, and this build of it has no interpreter for scripts.
func (p *paper) drawForm(bitmap references.FPDF_BITMAP, page requests.Page, width, height int, flags enums.FPDF_RENDER_FLAG) error {
	form, err := p.FPDFDOC_InitFormFillEnvironment(&requests.FPDFDOC_InitFormFillEnvironment{Document: p.doc, FormFillInfo: deafForm()})
	if err != nil {
		return crash("preparing form fields", err)
	}
	if _, err := p.FPDF_FFLDraw(&requests.FPDF_FFLDraw{FormHandle: form.FormHandle, Bitmap: bitmap, Page: page, SizeX: width, SizeY: height, Flags: flags}); err != nil {
		return crash("drawing form fields", err)
	}
	if _, err := p.FPDFDOC_ExitFormFillEnvironment(&requests.FPDFDOC_ExitFormFillEnvironment{FormHandle: form.FormHandle}); err != nil {
		return crash("leaving form fields", err)
	}
	return nil
}

// deafForm is a viewer that does nothing of what it is asked.
func deafForm() structs.FPDF_FORMFILLINFO {
	return structs.FPDF_FORMFILLINFO{
		FFI_Invalidate:         func(references.FPDF_PAGE, float64, float64, float64, float64) {},
		FFI_OutputSelectedRect: func(references.FPDF_PAGE, float64, float64, float64, float64) {},
		FFI_SetCursor:          func(enums.FXCT) {},
		FFI_SetTimer:           func(int, func(int)) int { return 0 },
		FFI_KillTimer:          func(int) {},
		FFI_GetLocalTime:       func() structs.FPDF_SYSTEMTIME { return structs.FPDF_SYSTEMTIME{} },
		FFI_OnChange:           func() {},
		FFI_GetPage:            func(references.FPDF_DOCUMENT, int) *references.FPDF_PAGE { return nil },
		FFI_GetCurrentPage:     func(references.FPDF_DOCUMENT) *references.FPDF_PAGE { return nil },
		FFI_GetRotation:        func(references.FPDF_PAGE) enums.FPDF_PAGE_ROTATION { return 0 },
		FFI_ExecuteNamedAction: func(string) {},
		FFI_SetTextFieldFocus:  func(string, bool) {},
		FFI_DoURIAction:        func(string) {},
		FFI_DoGoToAction:       func(int, enums.FPDF_ZOOM_MODE, []float32) {},
	}
}
