package enroll

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/number"
	"yinxin/internal/store"
)

// Person is one row of the roster 电子印章使用人信息汇总表 (annex 2).
type Person struct {
	Row      int    `json:"row"` // of the workbook, counted from 1
	Holder   string `json:"holder"`
	Name     string `json:"name"`     // 姓名
	Unit     string `json:"unit"`     // 所属单位名称
	Sex      string `json:"sex"`      // 性别: 1-男, 2-女
	IDType   string `json:"idType"`   // 证件类型: 111
	Post     string `json:"post"`     // 职务
	Status   Status `json:"status"`   // 人员状态
	Use      string `json:"use"`      // 用途（应用系统）
	SealName string `json:"sealName"` // 需使用印章名称

	Identity string `json:"-"` // 身份证号
	Mobile   string `json:"-"` // 手机号
}

// Status is 人员状态.
type Status string

// The statuses.
const (
	StatusActive    Status = "US01" // 生效: may use the seal
	StatusWithdrawn Status = "US02" // 失效: must not use it any more
)

// personPublic is a person as stored and approved: without the numbers, of which it has a salted digest.
type personPublic struct {
	Person
	Personal string `json:"personal"`
}

// personSealed is what is stored encrypted. Salt is as in form.Personal.
type personSealed struct {
	Identity string `json:"identity"`
	Mobile   string `json:"mobile"`
	Salt     string `json:"salt"`
}

// sealedPerson is a person whose numbers are sealed.
type sealedPerson struct {
	Person
	digest string // of the numbers with their salt
	sealed []byte
}

func (s *Service) sealPerson(roster string, p Person) (sealedPerson, error) {
	salt := make([]byte, 16)
	if _, err := io.ReadFull(s.Random, salt); err != nil {
		return sealedPerson{}, err
	}
	personal, err := json.Marshal(personSealed{p.Identity, p.Mobile, hex.EncodeToString(salt)})
	if err != nil {
		return sealedPerson{}, err
	}
	defer clear(personal)
	digest := sm3.Sum(personal)
	sealed, err := s.Safe.Seal(personal, personContext(roster, p.Row)...)
	return sealedPerson{p, hex.EncodeToString(digest[:]), sealed}, err
}

// public is what is stored in the clear and approved.
func (p sealedPerson) public() ([]byte, error) { return json.Marshal(personPublic{p.Person, p.digest}) }

func personContext(roster string, row int) []string {
	return []string{"enroll_person", roster + "/" + strconv.Itoa(row), "sealed"}
}

// masked is the person as lists show them.
func (p Person) masked() Person {
	p.Identity, p.Mobile = number.MaskIdentity(p.Identity), number.MaskMobile(p.Mobile)
	return p
}

// readPersons opens the persons of a roster, in the order of its rows. Error: enroll.altered when they are not those of
// its digest.
func (s *Service) readPersons(ctx context.Context, q store.Querier, roster string) ([]Person, error) {
	if roster == "" {
		return nil, nil
	}
	digest, err := rosterDigest(ctx, q, roster)
	if err != nil {
		return nil, err
	}
	rows, err := q.QueryContext(ctx, `SELECT row, holder, status, content, sealed FROM enroll_person WHERE roster = $1 ORDER BY row`, roster)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Person
	whole := sm3.New()
	for rows.Next() {
		var row int
		var holder, status string
		var public, sealed []byte
		if err := rows.Scan(&row, &holder, &status, &public, &sealed); err != nil {
			return nil, err
		}
		p, err := s.openPerson(roster, row, public, sealed)
		if err != nil {
			return nil, err
		}
		if p.Row != row || p.Holder != holder || string(p.Status) != status {
			return nil, ErrAltered.New()
		}
		whole.Write(append(public, '\n'))
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if hex.EncodeToString(whole.Sum(nil)) != digest {
		return nil, ErrAltered.New()
	}
	return list, nil
}

func (s *Service) openPerson(roster string, row int, public, sealed []byte) (Person, error) {
	plain, err := s.Safe.Open(sealed, personContext(roster, row)...)
	if err != nil {
		return Person{}, err
	}
	defer clear(plain)
	var p personPublic
	if err := json.NewDecoder(bytes.NewReader(public)).Decode(&p); err != nil {
		return Person{}, err
	}
	if digest := sm3.Sum(plain); hex.EncodeToString(digest[:]) != p.Personal {
		return Person{}, ErrAltered.New()
	}
	var personal personSealed
	if err := json.Unmarshal(plain, &personal); err != nil {
		return Person{}, ErrAltered.New() // the cause could quote the number
	}
	p.Identity, p.Mobile = personal.Identity, personal.Mobile
	return p.Person, nil
}

// String is the person as a list may show them; GoString and LogValue keep %#v and loggers from showing more.
func (p Person) String() string {
	return p.Name + " " + number.MaskIdentity(p.Identity) + " " + number.MaskMobile(p.Mobile) + " " + string(p.Status)
}

// GoString is String.
func (p Person) GoString() string { return p.String() }

// LogValue is String.
func (p Person) LogValue() slog.Value { return slog.StringValue(p.String()) }
