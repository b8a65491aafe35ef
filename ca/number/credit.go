package number

import "strings"

const (
	// creditAlphabet are the characters of a credit code in the order of their values (GB 32100-2015, table of
	// substitutions): I, O, S, V and Z are left out.
	creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	// organisationAlphabet are those of an organisation code (GB 11714-1997): A counts ten, Z thirty-five.
	organisationAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// creditCategories are the categories (second character) of each registration authority (first character):
// 1 机构编制, 2 外交, 3 司法行政, 4 文化, 5 民政, 6 旅游, 7 宗教, 8 工会, 9 工商, A 中央军委改革和编制办公室, N 农业,
// Y 其他 (GB 32100-2015, table of authorities and categories). 54 is not in that table: 基层群众性自治组织 (villages and
// neighbourhoods), registered by 民政, have it in practice; no text of a standard was at hand to confirm it.
var creditCategories = map[byte]string{
	'1': "1239", '2': "19", '3': "123459", '4': "19", '5': "12349", '6': "129", '7': "129", '8': "19", '9': "123",
	'A': "19", 'N': "1239", 'Y': "1",
}

// CreditCode refuses what is not a 统一社会信用代码 of GB 32100-2015: authority and category (positions 1 and 2), region
// of the authority (3 to 8), organisation code with the check character of GB 11714-1997 (9 to 17), check character (18).
func CreditCode(code string) error {
	if len(code) != 18 {
		return ErrCreditLength.New()
	}
	for i := range code {
		if strings.IndexByte(creditAlphabet, code[i]) < 0 || i >= 2 && i < 8 && code[i] > '9' {
			return ErrCreditCharacter.New()
		}
	}
	if strings.IndexByte(creditCategories[code[0]], code[1]) < 0 {
		return ErrCreditAuthority.New()
	}
	if !creditRegion(code[2:8]) {
		return ErrCreditRegion.New()
	}
	// The whole before the part: one mistyped character breaks both, and then it is the whole that is wrong.
	if creditCheck(code[:17]) != code[17] {
		return ErrCreditCheck.New()
	}
	if organisationCheck(code[8:16]) != code[16] {
		return ErrCreditOrganisation.New()
	}
	return nil
}

// state is the region of authorities of the state, which is not in GB/T 2260.
const state = "100000"

// creditRegion knows, beside the provinces, 100000 and 99. 99 is said to be in use by the authorities of
// 新疆生产建设兵团, which could not be confirmed: it is let through, but DoubtCredit names it. 83 is no region: it stands
// in residence permits only.
func creditRegion(region string) bool {
	if region == state || region[:2] == "99" {
		return true
	}
	_, known := provinces[region[:2]]
	return known && region[:2] != "83"
}

// creditCheck is the 18th character: weights 3^(i-1) mod 31, complement to 31 (GB 32100-2015).
func creditCheck(first17 string) byte {
	sum, weight := 0, 1
	for i := range 17 {
		sum += strings.IndexByte(creditAlphabet, first17[i]) * weight
		weight = weight * 3 % 31
	}
	return creditAlphabet[(31-sum%31)%31]
}

// organisationCheck is the ninth character of an organisation code: modulus 11, X for ten (GB 11714-1997).
func organisationCheck(first8 string) byte {
	sum := 0
	for i, weight := range [8]int{3, 7, 9, 10, 5, 8, 4, 2} {
		sum += strings.IndexByte(organisationAlphabet, first8[i]) * weight
	}
	return "0123456789X0"[11-sum%11]
}
