package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"yinxin/internal/fault"
)

var (
	errNoFile = fault.Spec{Kind: fault.NotFound, Code: "file.not-found",
		ZH: "找不到文件。", EN: "The file does not exist."}
	errNotAllowed = fault.Spec{Kind: fault.Denied, Code: "file.not-allowed",
		ZH: "没有读写该文件的权限。", EN: "The file may not be read or written."}
	errDiskFull = fault.Spec{Kind: fault.Unavailable, Code: "file.disk-full",
		ZH: "磁盘已满，没有写入任何结果。", EN: "The disk is full; no result was written."}
	errIsFolder = fault.Spec{Kind: fault.Invalid, Code: "file.is-a-folder",
		ZH: "这是一个文件夹，不是文件。", EN: "This is a folder, not a file."}
	errInterrupted = fault.Spec{Kind: fault.Unavailable, Code: "command.interrupted",
		ZH: "操作已中断，没有留下不完整的文件。", EN: "Interrupted; no partial file was left."}
	errInternal = fault.Spec{Kind: fault.Internal, Code: "command.failed",
		ZH: "程序内部出错。", EN: "The program failed."}
	errNotData = fault.Spec{Kind: fault.Invalid, Code: "data.not-a-data-directory",
		ZH: "这不是 Yinxin 的数据目录；请先运行 yinxin init 或 yinxin demo。", EN: "This is not a data directory of Yinxin; run yinxin init or yinxin demo first."}
	errDataExists = fault.Spec{Kind: fault.Conflict, Code: "data.exists",
		ZH: "目录已存在且不为空，未做任何更改。", EN: "The directory exists and is not empty; nothing was changed."}
	errFlag = fault.Spec{Kind: fault.Invalid, Code: "command.invalid-argument",
		ZH: "参数的值无效。", EN: "An argument has an invalid value."}
	errMissing = fault.Spec{Kind: fault.Invalid, Code: "command.missing-argument",
		ZH: "缺少参数。", EN: "An argument is missing."}
	errEmptyFlag = fault.Spec{Kind: fault.Invalid, Code: "command.empty-argument",
		ZH: "参数是空的。", EN: "An argument is empty."}
	errListen = fault.Spec{Kind: fault.Unavailable, Code: "serve.address",
		ZH: "无法在该地址上监听，可能已被占用。", EN: "Cannot listen on this address; it may be in use."}
	errApplicant = fault.Spec{Kind: fault.Invalid, Code: "command.applicant",
		ZH: "申请人信息应为 JSON：name、identity、purpose、sought。", EN: "The applicant must be JSON: name, identity, purpose, sought."}
	errSameFile = fault.Spec{Kind: fault.Conflict, Code: "file.output-is-input",
		ZH: "输出文件与输入文件相同；原件不会被覆盖。", EN: "The output is the input; the original is never overwritten."}
	errNoFolder = fault.Spec{Kind: fault.Invalid, Code: "file.not-a-folder",
		ZH: "这是一个文件，不是文件夹。", EN: "This is a file, not a folder."}
	errNoPlace = fault.Spec{Kind: fault.NotFound, Code: "file.no-folder",
		ZH: "输出文件所在的文件夹不存在。", EN: "The folder for the output does not exist."}
	errNotRegular = fault.Spec{Kind: fault.Invalid, Code: "file.not-regular",
		ZH: "输出位置是设备或其他特殊文件，不会被替换。", EN: "The output is a device or another special file, which is not replaced."}
	errEvidence = fault.Spec{Kind: fault.Unavailable, Code: "evidence.unknown-issuer",
		ZH: "无法取得该机构所发证书的状态；可加 --online 联网查询。", EN: "The status of certificates of this issuer could not be obtained; --online asks the issuer."}
)

// nextSteps say what to do about a refusal with the flags of this command, which the rooms that refuse do not know.
var nextSteps = map[string]struct{ zh, en string }{
	"pdf.encrypted": {"请向提供者索取未加密的文件。", "Ask for a file without encryption."},
	"enroll.rotation-unfinished": {"先运行 yinxin keystore rotate --yes。",
		"Run yinxin keystore rotate --yes first."},
	"pdf.overlap": {"换一个位置（--x、--y、--from、--at）；空签名域可用 --field；确需遮盖时加 --allow-overlap。",
		"Choose another place (--x, --y, --from, --at); --field signs an empty field; --allow-overlap covers it all the same."},
	"pdf.outside-page":       {"改 --x、--y、--from；用关键字时改 --dx、--dy 或 --nth。", "Change --x, --y, --from; with a keyword --dx, --dy or --nth."},
	"pdf.field-too-small":    {"--fit-field 把印章缩小到签名域内。", "--fit-field makes the seal smaller."},
	"pdf.no-such-page":       {"页码从 1 起，-1 是末页。", "Pages count from 1; -1 is the last."},
	"pdf.bad-page-range":     {"写法如 3、1-3,5,-1、odd、even、all。", "Written as 3, 1-3,5,-1, odd, even, all."},
	"view.not-found":         {"扫描件没有可查找的文字；可改用 --page、--x、--y，先用 yinxin preview 查看。", "A scan has no text to search: use --page, --x and --y, and yinxin preview to look."},
	"intake.refused":         {"查明后仍要盖章，加 --accept 和上述代码，多个用逗号分隔。", "If it is to be sealed all the same: --accept with the codes above, separated by commas."},
	"sealing.breaks-pdfa":    {"--profile cms 保持 PDF/A-2 和 PDF/A-3。", "--profile cms keeps PDF/A-2 and PDF/A-3."},
	"sealing.extend-broken":  {"yinxin verify 说明哪里不对。", "yinxin verify says what is wrong."},
	"seal.not-found":         {"yinxin seal --list 列出可用的印章。", "yinxin seal --list names the seals that may be used."},
	"enroll.findings":        {"yinxin enroll findings 列出全部问题；提示事项由登记员用 confirm 说明理由后通过。", "yinxin enroll findings lists all of them; a registrar lets doubtful points pass with confirm and a reason."},
	"enroll.agreement":       {"yinxin enroll agreement show 阅读现行协议，accept-agreement 同意。", "yinxin enroll agreement show prints the one in force; accept-agreement accepts it."},
	"enroll.conflict":        {"yinxin enroll show 查看现在的内容。", "yinxin enroll show prints what it is now."},
	"enroll.wet-ink":         {"核对原件后用 yinxin enroll ink 登记。", "Look at the original, then yinxin enroll ink."},
	"business.no-template":   {"yinxin enroll imprint 用扫描件制作印章模板。", "yinxin enroll imprint makes it from the scan."},
	"registration.no-form":   {"yinxin enroll scan 上传盖好印模的申请表；没有二维码的用 attach，再加 --attachment、--page 和 --box page。", "yinxin enroll scan takes the stamped form in; one without a code goes with attach, then --attachment, --page and --box page."},
	"business.no-key":        {"yinxin enroll show 列出申请中的使用人。", "yinxin enroll show lists whom the application is for."},
	"enroll.unit-not-found":  {"yinxin enroll units list 列出单位及其编号。", "yinxin enroll units list names the units and their identifiers."},
	"enroll.state":           {"yinxin enroll history 说明办到了哪一步。", "yinxin enroll history tells how far it has come."},
	"enroll.not-handed-in":   {"由市级用 yinxin enroll batch gather 和 hand-in 报送。", "The city bureau does so with yinxin enroll batch gather and hand-in."},
	"csr.other-id":           {"用 openssl 时加 -sigopt distid:1234567812345678。", "With openssl: -sigopt distid:1234567812345678."},
	"escrow.not-established": {"yinxin escrow init 建立密钥管理中心。", "yinxin escrow init establishes the key centre."},
	"hsm.pin-low":            {"确认 PIN 无误后加 --insist；PIN 不明时用 yinxin token unlock。", "--insist when the PIN is certain; otherwise yinxin token unlock."},
	"hsm.so-pin-low":         {"确认 SO PIN 无误后加 --insist。", "--insist when the SO PIN is certain."},
	"hsm.pin-wrong":          {"yinxin token list 显示剩余次数的情况。", "yinxin token list says how the tries stand."},
	"hsm.pin-locked":         {"yinxin token unlock 用 SO PIN 解锁；已登记的 Key 走 Key 解锁 申请。", "yinxin token unlock with the SO PIN; for a Key in custody, apply for Key 解锁."},
	"hsm.pin-unset":          {"yinxin token unlock 用 SO PIN 设置用户 PIN。", "yinxin token unlock sets it by the SO PIN."},
	"token.other-seal":       {"先用 yinxin token import-certificate 存入证书。", "yinxin token import-certificate first."},
	"token.initialised":      {"确需销毁时加 --yes。", "--yes if that is meant."},
	"agent.no-module":        {"加 --module 和 --vendor，或设置 YINXIN_PKCS11_MODULE 和 YINXIN_PKCS11_PROFILE。", "--module and --vendor, or YINXIN_PKCS11_MODULE and YINXIN_PKCS11_PROFILE."},
	"agent.several-seals":    {"yinxin agent seal --list 列出 UKey 中的印章。", "yinxin agent seal --list names the seals on the USB Key."},
	"agent.not-paired":       {"yinxin agent pair 与服务器配对。", "yinxin agent pair pairs this terminal with a server."},
	"agent.no-seal":          {"yinxin token import-seal 存入印章。", "yinxin token import-seal stores a seal on it."},
	"agent.paired-already":   {"yinxin agent unpair 解除配对。", "yinxin agent unpair ends the pairing."},
	"pdf.damaged-xref":       {"yinxin normalise 可另写一份新文件，再对新文件盖章。", "yinxin normalise can write a new file, which can then be sealed."},
}

// explain makes a fault of any error, so that a person gets a sentence and a program a code.
func explain(err error) *fault.Fault {
	if errors.Is(err, context.Canceled) {
		return errInterrupted.New()
	}
	if f, ok := fault.Of(err); ok {
		return f
	}
	place := fault.Place{}
	var p *fs.PathError
	if errors.As(err, &p) {
		place = fault.File(p.Path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errNoFile.At(place)
	case errors.Is(err, fs.ErrPermission):
		return errNotAllowed.At(place)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errDiskFull.At(place)
	case errors.Is(err, syscall.EISDIR):
		return errIsFolder.At(place)
	}
	return errInternal.At(place).Because(err)
}

// fail prints an error for a person and gives the exit status: 3 for what must not be done, 1 for the rest.
func fail(s streams, err error) int {
	f := explain(err)
	fmt.Fprintf(s.err, "yinxin: %s\n%s\n%s\n", f.Code, f.Sentence("zh"), f.Sentence("en"))
	if next, ok := nextSteps[f.Code]; ok {
		fmt.Fprintf(s.err, "→ %s\n  %s\n", next.zh, next.en)
	}
	if f.Kind == fault.Internal && f.Unwrap() != nil {
		fmt.Fprintf(s.err, "(%v)\n", f.Unwrap())
	}
	return statusOf(f)
}

func statusOf(f *fault.Fault) int {
	if f.Kind == fault.Refused {
		return exitRefused
	}
	return exitFailed
}

// failJSON prints an error as an object on standard output, for a program, and ends with the same status as fail.
func failJSON(s streams, err error) error {
	f := explain(err)
	if err := printJSON(s, map[string]any{"error": faultJSON(f)}); err != nil {
		return err
	}
	return exit{statusOf(f)}
}

func faultJSON(f *fault.Fault) map[string]any {
	m := map[string]any{"code": f.Code, "message": f.Sentence("zh"), "message_en": f.Sentence("en")}
	if f.Place != (fault.Place{}) {
		m["place"] = f.Place
	}
	return m
}

func printJSON(s streams, v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// inForm gives a command's error in the form that was asked for: printed as JSON, or as it is. What only ends a command
// with a status was told already.
func inForm(s streams, asJSON bool, err error) error {
	if err != nil && asJSON && !isExit(err) {
		return failJSON(s, err)
	}
	return err
}

// isExit reports whether an error only carries a status.
func isExit(err error) bool {
	var e exit
	return errors.As(err, &e)
}
