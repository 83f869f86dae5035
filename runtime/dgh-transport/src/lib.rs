//! Lines: WebRTC and the media streams of carriers.
