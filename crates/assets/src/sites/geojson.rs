//! Sites as GeoJSON (RFC 7946) and back. Bounded; every fault is named by the feature's number.

use serde_json::{Value, json};

use super::{Draft, MAX_SITES, Site};
use crate::error::AssetsError;

/// Largest file of sites, bytes.
pub(crate) const MAX_BYTES: usize = 4 << 20;
/// Faults named at once.
pub(crate) const MAX_FAULTS: usize = 20;

/// All sites as a feature collection.
pub(crate) fn write(sites: &[Site]) -> Value {
    let features: Vec<Value> = sites.iter().map(feature).collect();
    json!({ "type": "FeatureCollection", "features": features })
}

fn feature(site: &Site) -> Value {
    let geometry = site.longitude.zip(site.latitude).map_or(
        Value::Null,
        |(east, north)| json!({ "type": "Point", "coordinates": [east, north] }),
    );
    json!({
        "type": "Feature",
        "id": site.id,
        "geometry": geometry,
        "properties": { "name": site.name, "kind": site.kind, "place": site.place,
            "devices": site.devices, "plan": site.plan },
    })
}

/// Reads sites from a feature collection of points; `geometry` may be `null`.
///
/// # Errors
/// Every fault with the number of its feature, at most [`MAX_FAULTS`] of them.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Draft>, Vec<String>> {
    if text.len() > MAX_BYTES {
        return Err(vec![format!(
            "{} bytes exceed the limit of {MAX_BYTES}; load the sites in parts",
            text.len()
        )]);
    }
    let value: Value = serde_json::from_slice(text).map_err(|error| {
        vec![format!("no JSON at line {}, column {}: {error}", error.line(), error.column())]
    })?;
    if value["type"] != "FeatureCollection" {
        return Err(vec!["`type` is not `FeatureCollection` (RFC 7946, 3.3)".into()]);
    }
    let Some(features) = value["features"].as_array() else {
        return Err(vec!["`features` is not a list".into()]);
    };
    if features.len() > MAX_SITES {
        return Err(vec![format!("{} features; at most {MAX_SITES} at once", features.len())]);
    }
    let (mut drafts, mut faults) = (Vec::with_capacity(features.len()), Vec::new());
    for (number, feature) in features.iter().enumerate() {
        match draft(feature) {
            Ok(draft) => drafts.push(draft),
            Err(fault) => faults.push(format!("feature {}: {fault}", number + 1)),
        }
        if faults.len() == MAX_FAULTS {
            faults.push("and perhaps more; the rest was not looked at".into());
            break;
        }
    }
    if faults.is_empty() { Ok(drafts) } else { Err(faults) }
}

fn draft(feature: &Value) -> Result<Draft, String> {
    if feature["type"] != "Feature" {
        return Err("`type` is not `Feature`".into());
    }
    let properties = &feature["properties"];
    let text = |name: &str| properties[name].as_str().map(str::to_owned);
    let (latitude, longitude) = position(&feature["geometry"])?;
    let plan = match &properties["plan"] {
        Value::Null => None,
        spot => Some(serde_json::from_value(spot.clone()).map_err(|e| format!("`plan`: {e}"))?),
    };
    Draft {
        name: text("name").ok_or("`properties.name` is missing; give each site a name")?,
        kind: text("kind").unwrap_or_else(|| "site".into()),
        place: text("place"),
        latitude,
        longitude,
        plan,
    }
    .checked()
    .map_err(|error: AssetsError| error.to_string())
}

fn position(geometry: &Value) -> Result<(Option<f64>, Option<f64>), String> {
    if geometry.is_null() {
        return Ok((None, None));
    }
    if geometry["type"] != "Point" {
        let kind = geometry["type"].as_str().unwrap_or("nothing");
        let kind: String = kind.chars().take(40).collect();
        return Err(format!("a site is a `Point` or `null`, not `{kind}`"));
    }
    let at = |place: usize| geometry["coordinates"][place].as_f64();
    match (at(0), at(1)) {
        (Some(east), Some(north)) => Ok((Some(north), Some(east))),
        _ => Err("`coordinates` are [longitude, latitude] as numbers".into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn of(feature: Value) -> Result<Vec<Draft>, Vec<String>> {
        read(json!({ "type": "FeatureCollection", "features": [feature] }).to_string().as_bytes())
    }

    #[test]
    fn faults_name_the_feature_and_the_way_out() {
        let point = |at: Value| json!({ "type": "Point", "coordinates": at });
        for (feature, words) in [
            (json!(7), "feature 1: `type`"),
            (json!({ "type": "Feature", "geometry": null, "properties": null }), "name"),
            (
                json!({ "type": "Feature", "geometry": point(json!(["a", 1])), "properties": { "name": "x" } }),
                "coordinates",
            ),
            (
                json!({ "type": "Feature", "geometry": point(json!([2.1, 141.3])), "properties": { "name": "x" } }),
                "exchanged",
            ),
            (
                json!({ "type": "Feature", "geometry": { "type": "Polygon" }, "properties": { "name": "x" } }),
                "`Polygon`",
            ),
            (
                json!({ "type": "Feature", "geometry": null, "properties": { "name": "x\u{7}y" } }),
                "one line",
            ),
            (
                json!({ "type": "Feature", "geometry": null, "properties": { "name": "x", "plan": { "layer": "a", "x": 2, "y": 0 } } }),
                "0 to 1",
            ),
        ] {
            let faults = of(feature.clone()).unwrap_err();
            assert!(faults[0].contains(words), "{feature}: {faults:?}");
        }
        assert!(read(b"{").unwrap_err()[0].contains("line 1"));
        assert!(read(b"[]").unwrap_err()[0].contains("FeatureCollection"));
        let many = vec![json!(0); 5_001];
        let many = json!({ "type": "FeatureCollection", "features": many }).to_string();
        assert!(read(many.as_bytes()).unwrap_err()[0].contains("5000"));
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let site = Site {
            id: "1".into(),
            name: "Glòries".into(),
            kind: "tram stop".into(),
            place: Some("Plaça de les Glòries".into()),
            latitude: Some(41.4036),
            longitude: Some(2.1866),
            plan: None,
            devices: 3,
            updated_at: model::Timestamp::from_secs(1),
        };
        let back = read(write(std::slice::from_ref(&site)).to_string().as_bytes()).unwrap();
        let [one] = back.as_slice() else { panic!("{back:?}") };
        assert_eq!((&one.name, &one.kind, &one.place), (&site.name, &site.kind, &site.place));
        assert_eq!((one.latitude, one.longitude), (site.latitude, site.longitude));
    }
}
