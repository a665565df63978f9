//! payhook
