package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

func VerifyReceipt(receipt, secret string) (map[string]any, error) {
	parts := strings.Split(receipt, ".")
	if len(parts) != 3 {
		return nil, errors.New("not a receipt")
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	given, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
		return nil, errors.New("bad signature")
	}
	var head, claims map[string]any
	for i, into := range []*map[string]any{&head, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			return nil, errors.New("not a receipt")
		}
	}
	if head["alg"] != "HS256" {
		return nil, errors.New("wrong algorithm")
	}
	exp, _ := claims["exp"].(float64)
	if claims["aud"] != "oss-direct-upload/receipt" || exp <= float64(time.Now().Unix()) {
		return nil, errors.New("not a receipt, or expired")
	}
	return claims, nil
}
