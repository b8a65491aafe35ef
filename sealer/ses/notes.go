package ses

// Notes: what a producer wrote against the letter of the standard and was read all the same.
const (
	NoteExplicitFalse  = "an extension states critical FALSE instead of leaving it out"
	NoteBoolean        = "a BOOLEAN is not DER"
	NoteInteger        = "an INTEGER has needless leading octets"
	NoteAlgorithm      = "an AlgorithmIdentifier stands where the standard has an OBJECT IDENTIFIER"
	NoteRawValue       = "the signature value is raw r and s instead of DER"
	NoteValueInteger   = "an INTEGER of the signature value has a needless leading zero"
	NoteValueEncoding  = "the signature value is neither DER nor raw r and s"
	NoteOctetString    = "an OCTET STRING stands where the standard has a BIT STRING"
	NoteStringType     = "a text has another string type than the standard says"
	NoteNotUTF8        = "a text is not UTF-8"
	NoteTimeType       = "a time has another type than the standard says"
	NoteTimeForm       = "a time is not in the form YYYYMMDDhhmmssZ"
	NoteLocalTime      = "a time has no time zone and was taken as Beijing time"
	NoteTimeUnreadable = "the signing time could not be understood"
	NoteTimeToken      = "the signing time is given as a time-stamp token"
	NotePictureType    = "the picture type is not written in upper case"
	NoteCertList       = "the list of certificates holds something else than certificates"
	NoteExtensionTag   = "the extensions are tagged differently from the standard"
	NoteExtensions     = "the extensions could not be read and were left out"
	NoteSealTimeStamp  = "a seal of version 4 carries a time stamp"
)

// Explain gives a note as a sentence in the language "zh" or "en". A text that is no note of this package comes back
// unchanged.
func Explain(note, language string) string {
	if language != "zh" {
		return note
	}
	switch note {
	case NoteExplicitFalse:
		return "扩展项写明了 critical FALSE，而未按规定省略"
	case NoteBoolean:
		return "布尔值不是 DER 编码"
	case NoteInteger:
		return "整数带有多余的前导字节"
	case NoteAlgorithm:
		return "应为对象标识符之处写成了算法标识符"
	case NoteRawValue:
		return "签名值为 r、s 直接拼接，而非 DER 编码"
	case NoteValueInteger:
		return "签名值中的整数带有多余的前导零"
	case NoteValueEncoding:
		return "签名值既不是 DER 编码，也不是 r、s 直接拼接"
	case NoteOctetString:
		return "应为比特串之处写成了字节串"
	case NoteStringType:
		return "文本的字符串类型与标准不同"
	case NoteNotUTF8:
		return "文本不是 UTF-8 编码"
	case NoteTimeType:
		return "时间的类型与标准不同"
	case NoteTimeForm:
		return "时间未按 YYYYMMDDhhmmssZ 的形式书写"
	case NoteLocalTime:
		return "时间未注明时区，按北京时间理解"
	case NoteTimeUnreadable:
		return "无法理解签章时间"
	case NoteTimeToken:
		return "签章时间以时间戳给出"
	case NotePictureType:
		return "图片类型未用大写书写"
	case NoteCertList:
		return "证书列表中有不是证书的内容"
	case NoteExtensionTag:
		return "扩展项的标记与标准不同"
	case NoteExtensions:
		return "扩展项无法读取，已略去"
	case NoteSealTimeStamp:
		return "第 4 版印章带有时间戳"
	}
	return note
}
