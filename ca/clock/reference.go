package clock

import (
	"context"
	"net/http"
	"time"
)

// Server is a reference that tells its time when it is asked: a database server, say.
type Server struct {
	// Called is its name in logs.
	Called string
	// Time asks for the time.
	Time func(ctx context.Context) (time.Time, error)
	// Resolution is how fine the time is; what is finer was cut off.
	Resolution time.Duration
}

var _ Reference = Server{}

// Name is Called.
func (s Server) Name() string { return s.Called }

// Read takes the time in the middle between question and answer.
func (s Server) Read(ctx context.Context, now func() time.Time) (Reading, error) {
	sent := now()
	theirs, err := s.Time(ctx)
	received := now()
	if err != nil {
		return Reading{}, ErrReference.With("%s", s.Called).Because(err)
	}
	way := received.Sub(sent)
	if way < 0 {
		return Reading{}, ErrReference.With("%s", s.Called)
	}
	middle := sent.Add(way / 2)
	return Reading{Offset: theirs.Add(s.Resolution / 2).Round(0).Sub(middle.Round(0)), Uncertainty: way/2 + s.Resolution/2}, nil
}

// HTTP is a web server whose Date field is read (RFC 9110 6.6.1): exact to a second at best, but there is one in every
// network. Over https it is also known who says it.
func HTTP(url string, client *http.Client) Reference {
	return Server{Called: url, Resolution: time.Second, Time: func(ctx context.Context) (time.Time, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
		if err != nil {
			return time.Time{}, err
		}
		response, err := client.Do(request)
		if err != nil {
			return time.Time{}, err
		}
		_ = response.Body.Close()
		if response.Header.Get("Age") != "" { // a cache tells when the origin answered
			return time.Time{}, ErrReference.With("Age")
		}
		return http.ParseTime(response.Header.Get("Date"))
	}}
}
