package api

import (
	"bytes"
	"context"
	"slices"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/internal/fault"
	"yinxin/internal/scan"
	"yinxin/sealer/issuance"
)

var (
	errNoCode = fault.Spec{Kind: fault.Refused, Code: "paper.no-code",
		ZH: "这是图片，图片上的印章无法验证，也没有找到纸质件的二维码。请拍清楚证明页（末页）上的整个二维码，或输入印在旁边的验证码；有电子文件的，请上传 PDF。",
		EN: "This is a picture: a seal on it cannot be verified, and no QR code of a paper copy was found. Take a sharp photo of the whole QR code on the last page, or type the code beside it; if you have the file, use the PDF."}
	errPhoto = fault.Spec{Kind: fault.Refused, Code: "paper.photo-format",
		ZH: "不支持这种图片格式（HEIC、AVIF 或 WebP），请改用 JPEG 或 PNG，或输入印在二维码旁边的验证码。",
		EN: "Pictures of this kind (HEIC, AVIF or WebP) are not supported: use JPEG or PNG, or type the code that stands beside the QR code."}
)

// Limits of a picture in which the code of a paper copy is looked for: what telephones take.
var photoLimits = scan.Limits{Bytes: 24 << 20, Pages: 1, Pixels: 50_000_000, Decoded: 256 << 20}

// photoTime is the longest that a code is looked for.
const photoTime = 8 * time.Second

// codeOn reads the code of a paper copy off a picture of it. A file that is no picture has none, which is no error. Errors:
// paper.no-code, paper.photo-format, and those of package scan.
func (s *server) codeOn(ctx context.Context, f scratch) (string, error) {
	head, err := f.head(16)
	if err != nil {
		return "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")), bytes.HasPrefix(head, []byte("\x89PNG\r\n")):
	case len(head) >= 12 && string(head[4:8]) == "ftyp" && slices.Contains([]string{"heic", "heix", "hevc", "heim", "heis", "mif1", "msf1", "avif"}, string(head[8:12])),
		len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return "", errPhoto.New()
	default:
		return "", nil
	}
	if f.size > int64(photoLimits.Bytes) {
		return "", tooLarge(int64(photoLimits.Bytes))
	}
	// In memory, and with many tries: as few at a time as comparisons.
	leave, err := s.await(ctx, s.comparing)
	if err != nil {
		return "", err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, photoTime)
	defer cancel()
	data, err := f.head(f.size)
	if err != nil {
		return "", err
	}
	file, err := scan.Open("", data, photoLimits)
	if err != nil {
		return "", err
	}
	picture, err := file.Picture(0)
	if err != nil {
		return "", err
	}
	code, found := form.FindCode(ctx, picture, issuance.CodeIn)
	if !found {
		return "", errNoCode.New()
	}
	return code, nil
}
