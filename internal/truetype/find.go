package truetype

import (
	"os"
	"path/filepath"

	"yinxin/internal/fault"
)

// FontVariable names the environment variable that says which font to use.
const FontVariable = "YINXIN_FONT"

// Find gives the path of the Chinese TrueType font for texts: the file that YINXIN_FONT names, or gbsn00lp.ttf of
// Debian's fonts-arphic-gbsn00lp in one of the usual folders for fonts. Error: font.not-found.
func Find() (string, error) {
	if named := os.Getenv(FontVariable); named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", errNotFound.At(fault.File(named)).Because(err)
		}
		return named, nil
	}
	folders := []string{"/usr/share/fonts/truetype/arphic-gbsn00lp", "/usr/share/fonts/truetype/arphic",
		"/usr/share/fonts/arphic", "/usr/share/fonts/TTF", "/usr/local/share/fonts"}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, ".local/share/fonts"), filepath.Join(home, ".fonts"))
	}
	for _, folder := range folders {
		path := filepath.Join(folder, "gbsn00lp.ttf")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", errNotFound.New()
}
