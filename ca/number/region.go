package number

import (
	"slices"
	"strings"
)

// provinces are the first two digits of a region code: GB/T 2260-2007 with Hong Kong, Macao and Taiwan. 83 stands in
// the residence permits of people from Taiwan (国办发〔2018〕81号; those from Hong Kong and Macao carry 81 and 82).
var provinces = map[string]string{
	"11": "北京市", "12": "天津市", "13": "河北省", "14": "山西省", "15": "内蒙古自治区",
	"21": "辽宁省", "22": "吉林省", "23": "黑龙江省",
	"31": "上海市", "32": "江苏省", "33": "浙江省", "34": "安徽省", "35": "福建省", "36": "江西省", "37": "山东省",
	"41": "河南省", "42": "湖北省", "43": "湖南省", "44": "广东省", "45": "广西壮族自治区", "46": "海南省",
	"50": "重庆市", "51": "四川省", "52": "贵州省", "53": "云南省", "54": "西藏自治区",
	"61": "陕西省", "62": "甘肃省", "63": "青海省", "64": "宁夏回族自治区", "65": "新疆维吾尔自治区",
	"71": "台湾省", "81": "香港特别行政区", "82": "澳门特别行政区", "83": "台湾居民居住证",
}

// Province names the province to which a region code of at least two digits belongs.
func Province(region string) (name string, ok bool) {
	if len(region) < 2 {
		return "", false
	}
	name, ok = provinces[region[:2]]
	return name, ok
}

// KnownRegion reports whether a region code of six digits is or was one of GB/T 2260: of a province (110000), of a
// prefecture (130100) or of a county. All of what begins with 71, 81, 82 or 83 counts, for there is nothing below it in the
// standard. An unknown code may still be right: the table ends with a certain year.
func KnownRegion(code string) bool {
	if _, ok := Province(code); !ok || len(code) != 6 || strings.Trim(code, digits) != "" {
		return false
	}
	if code[2:] == "0000" || code[:1] == "7" || code[:1] == "8" {
		return true
	}
	_, line, ok := strings.Cut(regions, code[:4]) // four digits in a row stand at the beginning of a line only
	if !ok {
		return false
	}
	line, _, _ = strings.Cut(line, "\n")
	if code[4:] == "00" {
		return true
	}
	for counties := range strings.FieldsSeq(line) {
		first, last, many := strings.Cut(counties, "-")
		if !many {
			last = first
		}
		if first <= code[4:] && code[4:] <= last {
			return true
		}
	}
	return false
}

// DoubtCredit gives what a person should look at in a credit code that CreditCode accepts: a region that is not in GB/T
// 2260, as authorities of development zones use, or a new one. What begins with one of further is known besides. Nil:
// nothing.
func DoubtCredit(code string, further []string) error {
	if len(code) < 8 || code[2:8] == state || KnownRegion(code[2:8]) || anyPrefix(code[2:8], further) {
		return nil
	}
	return ErrCreditRegionUnknown.New()
}

// DoubtIdentity gives what a person should look at in an identity number that Identity accepts: a region that never was in
// GB/T 2260 as far as the table goes, and does not begin with one of further. Nil: nothing.
func DoubtIdentity(number string, further []string) error {
	if len(number) < 6 || KnownRegion(number[:6]) || anyPrefix(number[:6], further) {
		return nil
	}
	return ErrIdentityRegionUnknown.New()
}

func anyPrefix(region string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return p != "" && strings.HasPrefix(region, p) })
}
