package roster

import (
	"bytes"
	"io"
	"testing"

	"github.com/xuri/excelize/v2"
)

// fiveThousand is a roster of 5,000 people in which every tenth row has a fault.
func fiveThousand(b *testing.B) []byte {
	rows := people(5000)
	for i := 0; i < len(rows); i += 10 {
		rows[i][i/10%10] = "？"
	}
	return table(b, rows)
}

// BenchmarkRoster checks a roster of 5,000 people and writes the returned workbook; the issue asks for less than 3 s.
// The floor, in the same run, is excelize reading the cells of the same workbook and writing it, without a check.
func BenchmarkRoster(b *testing.B) {
	data := fiveThousand(b)
	b.Run("check-and-return", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			r, err := Read(data, rules)
			if err != nil || r.Rows != 5000 || len(r.Persons) != 4500 {
				b.Fatal(err, len(r.Persons))
			}
			if err := r.Return(io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check-only", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Read(data, rules); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor-excelize", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			f, err := excelize.OpenReader(bytes.NewReader(data))
			if err != nil {
				b.Fatal(err)
			}
			if rows, err := f.GetRows("Sheet1"); err != nil || len(rows) != 5003 {
				b.Fatal(err, len(rows))
			}
			// Without a change the library copies the part; a cell is set so that it is written.
			if err := f.SetCellStr("Sheet1", "A1", "电子印章使用人信息汇总表"); err != nil {
				b.Fatal(err)
			}
			if err := f.Write(io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
}
