"""WeChat's server API: access token, media check, message push."""
