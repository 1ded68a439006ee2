//! Which key and which address a judge has when it names none.

use super::*;
use crate::engine::trust::tests::judge;

#[test]
fn a_key_by_default_goes_to_the_vendor_alone() {
    let names = |provider, url| key_variables(&Judge { provider, ..judge(url) });
    assert_eq!(names(Provider::Gemini, None), ["GOOGLE_API_KEY", "GEMINI_API_KEY"]);
    assert_eq!(names(Provider::Anthropic, None), ["ANTHROPIC_API_KEY"]);
    assert_eq!(names(Provider::OpenAi, None), ["OPENAI_API_KEY"]);
    for provider in [Provider::Anthropic, Provider::OpenAi, Provider::Gemini] {
        assert!(names(provider, Some("http://localhost:1")).is_empty());
    }
    assert!(names(Provider::ClaudeCli, None).is_empty());
}

#[test]
fn an_address_is_the_vendors_or_the_settings_own_with_or_without_its_version() {
    let base = |url| base(&judge(url), "https://vendor.example", &["/v1"]).to_owned();
    assert_eq!(base(None), "https://vendor.example");
    for url in ["http://localhost:1", "http://localhost:1/", "http://localhost:1/v1/"] {
        assert_eq!(base(Some(url)), "http://localhost:1");
    }
}
