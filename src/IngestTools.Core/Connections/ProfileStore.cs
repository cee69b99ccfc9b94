namespace IngestTools.Connections;

/// <summary>The saved profiles, in profiles.json of the configuration folder. The folder is 0700 and the file 0600 from the moment they exist.</summary>
public sealed class ProfileStore
{
    /// <summary>Takes the folder where the file lies; nothing is read yet.</summary>
    /// <param name="folder">The configuration folder; null takes the user's (<see cref="IngestFolders.Configuration"/>).</param>
    public ProfileStore(string? folder = null) => throw new NotImplementedException();

    /// <summary>All profiles, by name. Empty where there is no file.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.FileUnreadable"/></exception>
    public IReadOnlyList<ConnectionProfile> Read() => throw new NotImplementedException();

    /// <summary>Saves a profile, in place of one of the same name.</summary>
    public void Save(ConnectionProfile profile) => throw new NotImplementedException();

    /// <summary>Removes a profile; false where there was none.</summary>
    public bool Remove(string name) => throw new NotImplementedException();
}
