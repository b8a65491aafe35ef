package oidc

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/internal/fault"
)

const whole = `{"name": "gov", "zh": "省统一身份认证", "issuer": "https://id.example.cn/realms/gov", "client_id": "yinxin", "client_secret_file": "secret",
	"scopes": ["employee"], "algorithms": ["ES256"], "claim": "employee_number", "address": "https://seal.example.cn", "networks": ["internet"]}`

func TestASettingThatIsNotSafeIsRefused(t *testing.T) {
	var s Settings
	if err := json.Unmarshal([]byte("["+whole+"]"), &s); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ field, old, new string }{
		{"name", `"gov"`, `"Gov/.."`},
		{"name", `"gov"`, `""`},
		{"zh", `"省统一身份认证"`, `""`},
		{"issuer", `https://id.example.cn/realms/gov`, `http://id.example.cn`},
		{"issuer", `https://id.example.cn/realms/gov`, `https://id.example.cn/?tenant=1`},
		{"issuer", `https://id.example.cn/realms/gov`, `https://a:b@id.example.cn`},
		{"client_id", `"yinxin"`, `""`},
		{"algorithms", `ES256`, `HS256`},
		{"algorithms", `ES256`, `none`},
		{"claim", `employee_number`, `email`},
		{"claim", `employee_number`, `preferred_username`},
		{"address", `https://seal.example.cn`, `http://seal.example.cn`},
		{"address", `https://seal.example.cn`, `https://seal.example.cn/`},
		{"scopes", `"employee"`, `"two words"`},
		{"public_client", `"name"`, `"public_client": true, "name"`},
		{"", `"client_secret_file"`, `"client_secret"`},
	} {
		text := strings.Replace(whole, c.old, c.new, 1)
		err := json.Unmarshal([]byte("["+text+"]"), &s)
		f, ok := fault.Of(err)
		if !ok || f.Code != ErrConfig.Code || c.field != "" && f.Place.Field != "login.oidc."+c.field {
			t.Errorf("%s: %v", c.new, err)
		}
	}
	if err := json.Unmarshal([]byte("["+whole+","+whole+"]"), &s); !fault.Has(err, ErrConfig) {
		t.Errorf("twice the same name: %v", err)
	}
}

func TestTheClientSecretStandsInAFileOrInTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	s := Setting{Name: "gov-id", ClientSecretFile: "secret"}
	if _, err := s.Secret(dir); !fault.Has(err, ErrSecret) {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("of the file\r\nsecond line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if secret, err := s.Secret(dir); err != nil || secret != "of the file" {
		t.Errorf("%q %v", secret, err)
	}
	s.ClientSecretFile = ""
	if _, err := s.Secret(dir); !fault.Has(err, ErrSecret) || !strings.Contains(err.Error(), "YINXIN_OIDC_SECRET_GOV_ID") {
		t.Errorf("%v", err)
	}
	t.Setenv("YINXIN_OIDC_SECRET_GOV_ID", "of the environment")
	if secret, err := s.Secret(dir); err != nil || secret != "of the environment" {
		t.Errorf("%q %v", secret, err)
	}
	s.PublicClient = true
	if secret, err := s.Secret(dir); err != nil || secret != "" {
		t.Errorf("%q %v", secret, err)
	}
}
