"""The worker process, which holds torch, and its client, which does not.

Slicer side: ``client`` over ``process``. Worker side: ``server`` over ``engine``. Both use
``messages`` over ``codec``, ``folder``, ``protocol`` and ``errors``, which are free of torch.
"""
