"""Everything that a scene holds, as one number: equal digests mean that nothing was changed."""

from __future__ import annotations

import hashlib

import slicer
from slicer.util import arrayFromVolume, getNodesByClass


def scene_digest() -> str:
    """Digest of the attributes and references of all nodes, and of the voxels of all volumes.

    The parameters of the module, and the hierarchy's own counter of items, are left out.
    """
    digest = hashlib.sha256()
    scene = slicer.mrmlScene
    for at in range(scene.GetNumberOfNodes()):
        node = scene.GetNthNode(at)
        digest.update(f"{node.GetID()} {node.GetName()}".encode())
        for name in node.GetAttributeNames():
            digest.update(f"{name}={node.GetAttribute(name)}".encode())
        for role_at in range(node.GetNumberOfNodeReferenceRoles()):
            role = node.GetNthNodeReferenceRole(role_at)
            digest.update(f"{role}={node.GetNodeReferenceID(role)}".encode())
    for volume in getNodesByClass("vtkMRMLScalarVolumeNode"):
        digest.update(arrayFromVolume(volume).tobytes())
        digest.update(repr(volume.GetSpacing() + volume.GetOrigin()).encode())
    digest.update(repr(hierarchy_items()).encode())
    return digest.hexdigest()


def hierarchy_items() -> list[str]:
    """Names in the subject hierarchy, parents first."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    from vtk import vtkIdList

    items = vtkIdList()
    tree.GetItemChildren(tree.GetSceneItemID(), items, True)
    return [tree.GetItemName(items.GetId(at)) for at in range(items.GetNumberOfIds())]
