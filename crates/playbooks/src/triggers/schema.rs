//! The description of [`Trigger`] for the API: each kind is one flat object with `on`. Derived it would be two parts that
//! both must hold, of which one refuses the other's field.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{OnFinding, OnHit, OnIncident, OnNews, OnReceived, OnSchedule, OnWebhook, Trigger};

type Collected = Vec<(String, RefOr<Schema>)>;

/// A kind with the word that names it.
fn kind<T: PartialSchema>(word: &'static str) -> RefOr<Schema> {
    match T::schema() {
        RefOr::T(Schema::Object(mut object)) => {
            let on = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([word]));
            object.properties.insert("on".to_owned(), RefOr::T(on.build().into()));
            object.required.push("on".to_owned());
            RefOr::T(object.into())
        }
        other => other,
    }
}

impl PartialSchema for Trigger {
    fn schema() -> RefOr<Schema> {
        let all = OneOfBuilder::new()
            .description(Some("Starts a playbook when something happens."))
            .item(kind::<OnIncident>("incidents.opened"))
            .item(kind::<OnReceived>("incidents.received"))
            .item(kind::<OnFinding>("findings.raised"))
            .item(kind::<OnNews>("intel.new"))
            .item(kind::<OnHit>("intel.hit"))
            .item(kind::<OnSchedule>("schedule"))
            .item(kind::<OnWebhook>("webhook"));
        RefOr::T(all.build().into())
    }
}

impl ToSchema for Trigger {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("PlaybookTrigger")
    }

    fn schemas(collected: &mut Collected) {
        OnIncident::schemas(collected);
        OnReceived::schemas(collected);
        OnFinding::schemas(collected);
        OnNews::schemas(collected);
        OnHit::schemas(collected);
        OnSchedule::schemas(collected);
        OnWebhook::schemas(collected);
    }
}
