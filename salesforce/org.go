package salesforce

import (
	"context"
	"net/http"
	"strings"

	"github.com/weirhq/weir"
)

// Identity is who weir is in the org.
type Identity struct {
	OrgID    string
	UserID   string
	Username string // of the integration user; empty where the org does not tell
}

// Identity authenticates if need be and says who weir is in the org. The ids
// come with the token; the user name is asked for, and an org that does not
// offer it (403 or 404) is no fault.
func (c *Client) Identity(ctx context.Context) (Answer, Identity) {
	var who Identity
	tok, failed := c.token(ctx)
	if failed != nil {
		return *failed, who
	}
	who.OrgID, who.UserID = identityOf(tok.id)
	a := c.exchange(ctx, call{method: http.MethodGet, path: "/services/oauth2/userinfo", free: true}, func(_ int, _ http.Header, s *scanner) error {
		return s.object(func(name string) error {
			switch name {
			case "preferred_username":
				return s.into(&who.Username)
			case "organization_id":
				return s.into(&who.OrgID)
			case "user_id":
				return s.into(&who.UserID)
			}
			return s.skip()
		})
	})
	who.Username = shown(who.Username)
	if !recordID.MatchString(who.OrgID) || !recordID.MatchString(who.UserID) {
		who.OrgID, who.UserID = identityOf(tok.id)
	}
	if a.Fault != nil && (a.Fault.Status == http.StatusForbidden || a.Fault.Status == http.StatusNotFound) && !a.Fault.Category.Throttled() {
		a.Fault = nil
	}
	return a, who
}

// Version is one API version that the org offers.
type Version struct {
	Version string
	Label   string
}

// Versions lists the API versions of the org. It needs no token, and the org
// does not count it.
func (c *Client) Versions(ctx context.Context) (Answer, []Version) {
	var out []Version
	a := c.exchange(ctx, call{method: http.MethodGet, path: "/services/data/", free: true, open: true}, func(_ int, _ http.Header, s *scanner) error {
		return s.array(func(int) error {
			var v struct {
				Version string `json:"version"`
				Label   string `json:"label"`
			}
			if err := s.into(&v); err != nil {
				return err
			}
			out = append(out, Version{Version: shown(v.Version), Label: shown(v.Label)})
			return nil
		})
	})
	return a, out
}

// Limits reads the /limits resource, sorted by name; its figures are among the
// Answer's readings as well. The integration user may lack the right to it.
func (c *Client) Limits(ctx context.Context) (Answer, []Limit) {
	var out []Limit
	a := c.exchange(ctx, call{method: http.MethodGet, path: c.data("/limits")}, func(_ int, _ http.Header, s *scanner) error {
		v, err := s.value()
		m, ok := v.(map[string]any)
		if err == nil && !ok {
			err = errSyntax
		}
		out = limitsOf(m)
		return err
	})
	// The header counts this very call, and the body may lag behind it.
	a.Readings = mergeReadings(limitsReadings(out, a.At), a.Readings)
	c.remember(a.Readings)
	return a, out
}

// Row reads one record by its id, with the ETag that guards a later write;
// etag is empty where the org gives none. The answer is asked for
// uncompressed, because a tag names the compression too.
func (c *Client) Row(ctx context.Context, object, id string, fields []string) (a Answer, row Row, etag string) {
	if !apiName.MatchString(object) || !recordID.MatchString(id) || len(fields) == 0 {
		return c.refuse(CodeInvalidQuery, weir.Validation), row, ""
	}
	for _, f := range fields {
		if !fieldPath.MatchString(f) {
			return c.refuse(CodeInvalidQuery, weir.Validation), row, ""
		}
	}
	path := string(c.objectPath(object, id)) + "?fields=" + strings.Join(fields, ",")
	var rows rowReader
	defer rows.wipe()
	a = c.exchange(ctx, call{method: http.MethodGet, path: path, plain: true}, func(_ int, h http.Header, s *scanner) error {
		raw, err := s.raw()
		if err != nil {
			return err
		}
		got, err := rows.row(raw)
		if err != nil {
			return err
		}
		if !sameRecord(got.ID, id) {
			return errMismatch()
		}
		row, etag = got.Clone(), h.Get("ETag")
		return nil
	})
	if a.Fault != nil {
		return a, Row{}, ""
	}
	return a, row, etag
}
