package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"yinxin/internal/login/oidc"
	"yinxin/internal/login/oidc/oidctest"
)

func TestAnIDTokenThatIsNotRightIsRefused(t *testing.T) {
	f := fresh(t)
	foreign := got(rsa.GenerateKey(rand.Reader, 2048))(t)
	unsigned := func(claims map[string]any) string {
		signed := f.provider.Sign(t, claims)
		parts := strings.Split(signed, ".")
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	}
	with := func(name string, value any) func(map[string]any) string {
		return func(claims map[string]any) string {
			if value == nil {
				delete(claims, name)
			} else {
				claims[name] = value
			}
			return f.provider.Sign(t, claims)
		}
	}
	for _, c := range []struct {
		name  string
		token func(claims map[string]any) string
		good  bool
	}{
		{"as it is, signed once more", with("amr", []string{"pwd"}), true},
		{"another nonce", with("nonce", "another"), false},
		{"no nonce", with("nonce", nil), false},
		{"another audience", with("aud", []string{"somebody"}), false},
		{"no audience", with("aud", nil), false},
		{"two audiences and this authorized party", with("aud", []string{"somebody", oidctest.ClientID}), true},
		{"another authorized party", with("azp", "somebody"), false},
		{"another issuer", with("iss", "https://elsewhere.example"), false},
		{"expired", with("exp", time.Now().Add(-time.Minute).Unix()), false},
		{"no expiry", with("exp", nil), false},
		{"of tomorrow", with("nbf", time.Now().Add(24*time.Hour).Unix()), false},
		{"no subject", with("sub", nil), false},
		{"a subject that is no text", with("sub", 17), false},
		{"a subject with a line break", with("sub", "id2\nid3"), false},
		{"an endless subject", with("sub", strings.Repeat("9", 256)), false},
		{"two audiences without authorized party", func(claims map[string]any) string {
			delete(claims, "azp")
			return with("aud", []string{"somebody", oidctest.ClientID})(claims)
		}, false},
		{"unsigned", unsigned, false},
		{"signed with the client secret", func(claims map[string]any) string {
			return f.provider.Sign(t, claims, jose.SigningKey{Algorithm: jose.HS256, Key: []byte(oidctest.ClientSecret + "-and-more-of-32-bytes")})
		}, false},
		{"signed with another key", func(claims map[string]any) string {
			return f.provider.Sign(t, claims, jose.SigningKey{Algorithm: jose.RS256, Key: foreign})
		}, false},
		{"signed with an algorithm that is not allowed", func(claims map[string]any) string {
			return f.provider.Sign(t, claims, jose.SigningKey{Algorithm: jose.RS512})
		}, false},
		{"no token", func(map[string]any) string { return "" }, false},
		{"no JWT", func(map[string]any) string { return "a.b.c" }, false},
		{"huge", with("more", strings.Repeat("m", 300<<10)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.t = t
			secret, a := f.answered()
			f.provider.Change(func(path string, answer map[string]any) {
				if path == "/oauth/token" {
					answer["id_token"] = c.token(oidctest.Claims(t, answer))
				}
			})
			defer f.provider.Change(nil)
			who, _, err := f.finish(secret, a)
			switch {
			case c.good:
				must(t, err)
			case c.name == "huge":
				f.wants(err, oidc.ErrUnavailable)
			default:
				f.wants(err, oidc.ErrAnswer)
			}
			if !c.good && who != (oidc.Identity{}) {
				t.Errorf("%+v", who)
			}
		})
	}
}
