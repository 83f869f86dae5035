//! every setting is read
