//! Safe fixes leave a clean program.

use crate::mended;

#[test]
fn what_is_mended_is_clean() {
    let text = mended(
        r#"
  input vip: bool
  input name: text
  var topic: Topic "What it is about"
  start hello
  node hello { collect topic  on failed(collect) -> last  if vip -> last  next -> last }
  node last { say "Hello {{ reveal(name) }}."  else -> end done }
  webhook crm on call.ended {
    post: "{{ env.API }}/calls"
    body: { topic: topic, outcome: call.outcome }
  }"#,
    );
    assert!(text.contains("if vip -> last  else -> last"), "{text}");
    assert!(text.contains("{{ name }}.\"  next -> end done"), "{text}");
    assert!(text.contains("topic: topic?, outcome: call.outcome?"), "{text}");
}
