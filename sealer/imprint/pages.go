package imprint

import "yinxin/internal/scan"

// Pages is the number of pages of a scan: how far Options.Page can go. Errors are those of scan.Open.
func Pages(data []byte) (int, error) {
	file, err := scan.Open("", data, limits)
	if err != nil {
		return 0, err
	}
	return len(file.Pages), nil
}
