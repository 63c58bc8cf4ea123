using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>A small Debian in a directory, into which dpkg installs and in which what was installed runs as its own user.</summary>
internal sealed class DebianRoot(Workspace workspace)
{
    private static readonly string Maker = Path.Combine(Programs.Root, "tests", "EndToEnd", "Packaging", "make-root");

    private readonly string _directory = workspace.File("debian");

    /// <summary>What the packages' scripts asked systemd for since the last call.</summary>
    public string[] TakeSystemdCalls()
    {
        string log = PathOf("/systemctl.log");
        string[] calls = File.Exists(log) ? File.ReadAllLines(log) : [];
        File.Delete(log);
        return calls;
    }

    public string PathOf(string path) => _directory + path;

    public bool Has(string path) => Path.Exists(PathOf(path));

    public string Read(string path) => File.ReadAllText(PathOf(path));

    /// <summary>Owner, group and mode as <c>stat</c> prints them with numbers.</summary>
    public async Task<string> OwnerAndModeAsync(string path) => (await RunAsync("stat", "--format", "%u:%g %a", PathOf(path))).TrimEnd();

    public Task MakeAsync() => RunAsync(Maker, _directory);

    /// <summary>Makes what an image begins with: dpkg, no systemd.</summary>
    public Task MakeImageAsync() => RunAsync(Maker, "--image", _directory);

    /// <summary>Makes the same of Debian's archive.</summary>
    public Task DebootstrapAsync() => RunAsync("debootstrap", "--variant=minbase", "bookworm", _directory);

    /// <summary>Runs a step that makes an image, as root, with the repository at <paramref name="context"/> as an engine would mount it.</summary>
    public async Task BuildStepAsync(string step, string context)
    {
        Directory.CreateDirectory(PathOf(context));
        await RunAsync("unshare", "--mount", "sh", "-c", "mount --bind \"$0\" \"$1$2\" && mount -t proc proc \"$1/proc\" && exec chroot \"$1\" sh -c \"$3\"", Programs.Root, _directory, context, step);
        Directory.Delete(PathOf(context));
    }

    /// <summary>Starts a program as an engine would: as the image's user, in its folder, with no shell between.</summary>
    public RealProcess StartContainer(Containerfile file, params string[] command) => RealProcess.Start("unshare", workspace.Folder,
        ["--mount-proc", $"--root={_directory}", $"--wd={file.Folder}", $"--setgid={file.User}", $"--setuid={file.User}", .. command]);

    public Task DpkgAsync(params string[] arguments) => RunAsync("dpkg", [$"--root={_directory}", .. arguments]);

    /// <summary>Runs rpm there; nothing that a package needs is known to it.</summary>
    public Task RpmAsync(params string[] arguments) => RunAsync("rpm", [$"--root={_directory}", "--nodeps", .. arguments]);

    /// <summary>Unpacks an archive into /tmp there.</summary>
    public Task UnpackAsync(string archive) => RunAsync("tar", "--extract", "--file", archive, "--directory", PathOf("/tmp"));

    public Task RootRunsAsync(params string[] command) => RunAsync("chroot", [_directory, .. command]);

    /// <summary>The same package under another version: what an upgrade would install.</summary>
    public async Task<string> WithVersionAsync(string package, string version)
    {
        string unpacked = workspace.File("package-" + version);
        await RunAsync("dpkg-deb", "--raw-extract", package, unpacked);
        string control = Path.Combine(unpacked, "DEBIAN", "control");
        string[] lines = await File.ReadAllLinesAsync(control);
        await File.WriteAllLinesAsync(control, lines.Select(line => line.StartsWith("Version:", StringComparison.Ordinal) ? $"Version: {version}" : line));
        string changed = unpacked + ".deb";
        await RunAsync("dpkg-deb", "--root-owner-group", "-Znone", "--build", unpacked, changed);
        return changed;
    }

    /// <summary>Starts the installed agent as systemd would: as its user, in that user's groups.</summary>
    public RealProcess StartAgent(params string[] arguments) => Start("/usr/bin/logpipe-agent", arguments);

    /// <summary>Starts an installed program as the user logpipe.</summary>
    public RealProcess Start(string program, params string[] arguments)
        => RealProcess.Start("unshare", workspace.Folder, InPlace([program, .. arguments]));

    /// <summary>Runs an installed program as the user logpipe to its end and returns its output.</summary>
    public Task<string> RunAsUserAsync(params string[] command) => RunAsync("unshare", InPlace(command));

    /// <summary>Runs dpkg, which is to refuse, and returns what it says.</summary>
    public async Task<string> DpkgRefusesAsync(params string[] arguments)
    {
        (int status, _, string errors) = await RealProcess.RunAsync("dpkg", workspace.Folder, [$"--root={_directory}", .. arguments]);
        Assert.NotEqual(0, status);
        return errors;
    }

    // The runtime needs /proc, which is mounted for this process alone and goes with it.
    private string[] InPlace(string[] command) =>
        ["--mount", "sh", "-c", "mount -t proc proc \"$0/proc\" && exec chroot --userspec=logpipe:logpipe \"$0\" \"$@\"", _directory, .. command];

    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        (int status, string output, string errors) = await RealProcess.RunAsync(program, workspace.Folder, arguments, within: TimeSpan.FromMinutes(5));
        Assert.True(status == 0, $"{program} {string.Join(' ', arguments)} gave {status}: {output}{errors}");
        return output;
    }
}
