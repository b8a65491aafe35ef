package number

import (
	"strings"
	"time"

	"yinxin/internal/civil"
)

// Sex is the sex that an identity number tells, with the digits of GB/T 2261.1.
type Sex byte

// The sexes.
const (
	Male   Sex = 1
	Female Sex = 2
)

// String is the value as the forms write it: 1-男 or 2-女.
func (s Sex) String() string {
	switch s {
	case Male:
		return "1-男"
	case Female:
		return "2-女"
	}
	return ""
}

// Bearer is what an identity number says of the person who bears it.
type Bearer struct {
	Region string    // six digits, GB/T 2260, of the time when the number was given
	Birth  time.Time // midnight in China
	Sex    Sex
}

// Age is the bearer's age in full years on a day.
func (b Bearer) Age(on time.Time) int {
	on = on.In(civil.China)
	age := on.Year() - b.Birth.Year()
	if on.Month() < b.Birth.Month() || on.Month() == b.Birth.Month() && on.Day() < b.Birth.Day() {
		age--
	}
	return age
}

// oldest is the age in years that no bearer has passed: the oldest person on record died at 122.
const oldest = 122

// Identity reads a 居民身份证号 (GB 11643-1999): region, date of birth, sex by the 17th digit, check character (ISO 7064
// MOD 11-2). The date of birth must not be after on, nor more than 122 years before it.
func Identity(number string, on time.Time) (Bearer, error) {
	switch {
	case len(number) == 15 && strings.Trim(number, digits) == "":
		return Bearer{}, ErrIdentityOld.New()
	case len(number) != 18:
		return Bearer{}, ErrIdentityLength.New()
	case strings.Trim(number[:17], digits) != "" || strings.Trim(number[17:], digits+"X") != "":
		return Bearer{}, ErrIdentityCharacter.New()
	}
	if _, ok := Province(number); !ok {
		return Bearer{}, ErrIdentityRegion.New()
	}
	birth, err := time.ParseInLocation("20060102", number[6:14], civil.China)
	b := Bearer{Region: number[:6], Birth: birth, Sex: Female}
	if err != nil || birth.After(on) || b.Age(on) > oldest {
		return Bearer{}, ErrIdentityBirth.New()
	}
	if identityCheck(number[:17]) != number[17] {
		return Bearer{}, ErrIdentityCheck.New()
	}
	if number[16]%2 == 1 {
		b.Sex = Male
	}
	return b, nil
}

// identityCheck is the 18th character: weights 2^(18-i) mod 11 (ISO 7064 MOD 11-2).
func identityCheck(first17 string) byte {
	sum := 0
	for i := range 17 {
		sum = (sum + int(first17[i]-'0')) * 2
	}
	return "10X98765432"[sum%11]
}

const digits = "0123456789"

// Mobile refuses what is not a mobile number of the mainland: 11 digits, the first 1, the second 3 to 9.
func Mobile(number string) error {
	if len(number) != 11 || strings.Trim(number, digits) != "" || number[0] != '1' || number[1] < '3' {
		return ErrMobile.New()
	}
	return nil
}
