"""Discovers the server, writes objects with tied dates, reads them back by the page."""
import sys
import uuid

from taxii2client.v21 import Server, as_pages

url, token = sys.argv[1:3]
server = Server(f"{url}/taxii2/", user="token", password=token)
assert server.title, "the server has a title"
root = server.default or server.api_roots[0]
writable = [c for c in root.collections if c.can_write]
assert writable, "a writable collection exists from the first start"
collection = next(c for c in writable if c.can_read)

now = "2026-01-01T00:00:00.000Z"
objects = [
    {
        "type": "identity", "spec_version": "2.1", "id": f"identity--{uuid.uuid4()}",
        "created": now, "modified": now, "name": f"Organisation {i}",
        "identity_class": "organization",
    }
    for i in range(120)
]
status = collection.add_objects({"objects": objects}, wait_for_completion=True)
assert status.status == "complete", status.status
assert status.success_count == 120 and status.failure_count == 0, status

seen = set()
for page in as_pages(collection.get_objects, per_request=25):
    seen.update(o["id"] for o in page.get("objects", []))
missing = {o["id"] for o in objects} - seen
assert not missing, f"{len(missing)} objects lost by paging"

one = collection.get_object(objects[7]["id"])["objects"][0]
assert one["name"] == "Organisation 7"
manifest = collection.get_manifest(limit=10)
assert len(manifest["objects"]) == 10 and manifest["more"] is True

bad = collection.add_objects({"objects": [{"type": "identity", "id": "identity--nonsense"}]})
assert bad.failure_count == 1 and bad.success_count == 0, bad
print("taxii2-client is content")
