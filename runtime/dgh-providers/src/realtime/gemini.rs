//! Gemini Live.
